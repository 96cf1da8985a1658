"""What everybody shares who asks a far end over HTTP: one request and its whole answer, an address with its key."""
