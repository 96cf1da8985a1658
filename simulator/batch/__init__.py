"""Many sessions: runs, the ways of playing them, repeats, resuming."""
