"""Word error rates as the ASR leaderboard, Whisper's users and NeMo-Skills count them."""
