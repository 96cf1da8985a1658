"""Moshi's WebSocket protocol, spoken by Moshi and PersonaPlex: client and server."""
