"""Sinks: where a run is logged beside its folder (`log: wandb`), a kind each, so that any tracker is one file."""
