"""A call: two seats, an exchange and a recorder, and what moves their time."""
