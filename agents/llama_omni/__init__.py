"""A LLaMA-Omni controller and its workers: sound in, text and units out."""
