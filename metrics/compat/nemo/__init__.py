"""NeMo-Skills' speech-to-speech evaluation."""
