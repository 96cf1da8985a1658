"""Full-Duplex-Bench 1.0, 1.5 and 2."""
