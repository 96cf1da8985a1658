"""Serving an actor to strangers: the door, its guard, the sessions behind it. The protocols are in agents/serve."""
