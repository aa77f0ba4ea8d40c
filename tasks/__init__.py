"""The Celery tasks: decode a message, call the core, return a small value."""
