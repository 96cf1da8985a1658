"""Annotation: where speech is and which words, from truth where it is told and from sound where it is not."""
