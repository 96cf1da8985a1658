"""Runs as figures of a paper: drawn by matplotlib (extra `data`), fit for print and for readers who see few colours."""
