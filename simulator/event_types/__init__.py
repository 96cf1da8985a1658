"""The types of events that a session may hold: what each means, who tells it, and what its fields are."""
