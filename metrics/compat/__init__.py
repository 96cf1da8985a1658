"""Compatibility scorers: other projects' definitions, reproduced; one file per definition."""
