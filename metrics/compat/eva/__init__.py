"""EVA's turn-taking metrics."""
