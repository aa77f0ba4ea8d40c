"""The exporter: metrics of the whole installation, from Redis and storage."""

from dubbing.exporter.exporter import Exporter

__all__ = ["Exporter"]
