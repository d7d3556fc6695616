"""Rules of accessibility, on elements and style sheets."""
