"""Executors: the ways in which the sessions of a run are played."""
