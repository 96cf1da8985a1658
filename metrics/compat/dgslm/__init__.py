"""dGSLM's turn-taking events."""
