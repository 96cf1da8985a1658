"""OpenAI's Realtime and Live protocols: clients, and a Realtime server."""
