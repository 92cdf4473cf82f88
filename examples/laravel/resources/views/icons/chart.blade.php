<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 4v16h16M8.5 16v-4M13 16V7M17.5 16v-6"/></svg>
