"""Sound files and containers."""
