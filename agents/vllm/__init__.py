"""vLLM-omni's duplex serving: models that decide by themselves when to listen and when to speak."""
