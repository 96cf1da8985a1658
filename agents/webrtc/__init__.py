"""Agents behind WebRTC: what is offered and answered, the connection, what goes over it."""
