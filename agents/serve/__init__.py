"""Servers: an actor offered to other people's clients; one file per protocol."""
