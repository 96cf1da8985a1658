"""Voice services that take a turn as one HTTP request (a Bittensor miner): client and server."""
