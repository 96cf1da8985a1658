"""Injectors: speech added to a party's mouth at cued moments; one file per kind."""
