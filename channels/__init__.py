"""Channels: what a line does to sound on its way; one file per impairment."""
