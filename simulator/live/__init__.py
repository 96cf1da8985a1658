"""Live conversations: microphone, browser page."""
