<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 5h16v11H11l-4.5 4V16H4Z"/></svg>
