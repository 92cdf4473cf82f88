<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5.5 11h13v9h-13ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3"/></svg>
