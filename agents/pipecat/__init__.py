"""Agents of Pipecat: frames, RTVI, client, server."""
