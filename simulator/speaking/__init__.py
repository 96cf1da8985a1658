"""What the parties that speak are built from: voices, ears, cues, scripts, turn-taking."""
