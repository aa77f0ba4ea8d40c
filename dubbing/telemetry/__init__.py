"""Telemetry: logs, metrics and traces of the processes."""
