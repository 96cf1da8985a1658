"""Languages: what speaking one takes (voices, short words, replies, numbers), and what `language:` fills in by it."""
