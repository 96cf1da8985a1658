"""Datasets: one session per sample; one file per layout."""
