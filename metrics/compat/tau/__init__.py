"""tau-voice's turn-taking metrics."""
