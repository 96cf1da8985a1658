"""What of a chat model's text is said aloud: the stream that sorts it, and the rules it goes by."""
