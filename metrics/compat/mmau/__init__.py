"""MMAU-Pro: questions about sound, by its authors' evaluation (960e93a) and NeMo-Skills' (00b3958)."""
