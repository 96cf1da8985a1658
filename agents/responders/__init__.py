"""Responders: what a turn-based actor answers with; one file per kind."""
