"""Runs and sessions read back."""
