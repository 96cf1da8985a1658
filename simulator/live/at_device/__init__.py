"""Live conversations at a sound device, in a terminal."""
