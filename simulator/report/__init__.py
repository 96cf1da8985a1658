"""The pages: one session, one run, one comparison."""
