"""What a page shows of a session's time: marks, lanes, peaks."""
