"""A worker process: its start, its engines and its heartbeat."""
