"""FD-Bench's rounds."""
