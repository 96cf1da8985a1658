"""Actors: what plays a party; one file per kind."""
