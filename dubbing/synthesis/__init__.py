"""A batch of lines becomes clips."""
