"""The world of a session: a state, and the tools that parties call to see it and to change it."""
