"""Plans: what a run will hold, worked out before anything starts."""
