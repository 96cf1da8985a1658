"""A Mini-Omni server: sound in, sound out, no text."""
