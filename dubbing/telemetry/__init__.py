"""Telemetry: the logs of the processes."""
