"""Sweeps: points of one scenario, along named dimensions."""
