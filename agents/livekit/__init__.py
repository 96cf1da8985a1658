"""Agents in LiveKit rooms: the token, what is heard of a room, the SDK around it."""
