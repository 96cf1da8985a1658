"""YAML in: what a scenario's values mean, and what may not be written out again."""
