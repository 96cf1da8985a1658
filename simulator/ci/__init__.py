"""What machines are told of a run: JUnit XML, GitHub's summary and annotations, a history; and pytest's plugin."""
