"""Scoring of what was recorded: finding inputs, scoring sessions again, judges, intervals."""
