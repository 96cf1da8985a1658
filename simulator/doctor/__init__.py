"""What works here: this machine, an endpoint, a recording."""
