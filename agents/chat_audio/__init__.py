"""OpenAI-compatible chat endpoints with sound (NeMo's VoiceChat server): client and server."""
