"""Bittensor's subnet 21: the scores by which its validator rates voice models (omega e6c4611)."""
