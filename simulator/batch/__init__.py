"""Many sessions: runs, repeats, resuming."""
