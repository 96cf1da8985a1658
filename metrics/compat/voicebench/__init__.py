"""VoiceBench: what a voice assistant says, by its own evaluators (5338154)."""
