"""Charts as values, and two ways to draw them: in a page (SVG) and for a paper (PNG, PDF)."""
