"""Judging: what language models are asked about sessions, what they may answer, and how far they can be believed."""
