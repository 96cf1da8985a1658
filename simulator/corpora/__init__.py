"""Runs as corpora: which dialogues are kept, how they are split, and what they look like in other people's formats."""
