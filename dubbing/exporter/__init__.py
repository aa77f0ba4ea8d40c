"""The exporter: metrics of the whole installation, as Redis and storage tell it."""

from dubbing.exporter.exporter import Exporter

__all__ = ["Exporter"]
