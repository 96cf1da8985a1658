"""Scorers: pure functions from a session to scores; one file per family."""
