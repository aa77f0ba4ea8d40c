"""What a worker process is: how it starts, what it loads, how it says that it is there."""
