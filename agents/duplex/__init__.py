"""Duplex models in torch, stepped frame by frame in one batch; one file per model."""
