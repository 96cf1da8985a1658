"""Live conversations in a browser page."""
