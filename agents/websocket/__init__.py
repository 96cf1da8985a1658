"""A WebSocket of anybody's, described in YAML: client, wire, server."""
