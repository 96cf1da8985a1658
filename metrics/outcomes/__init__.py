"""Outcomes of a session: whether what is expected of words, calls, state and ends is met, and by which moment."""
