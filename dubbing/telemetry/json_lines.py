"""Log lines for log collectors: one object a line."""

from __future__ import annotations

import logging
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from dubbing.telemetry.context import context
from dubbing.telemetry.masking import Mask

FIELDS = {"levelname": "level", "processName": "process", "name": "logger", "message": "message"}
"""Attributes of a record, and the names that they have in JSON."""


class JsonLines(JsonFormatter):
    """Writes an event as an object: time in UTC, level, process, logger, message and context."""

    def __init__(self, mask: Mask | None = None) -> None:
        super().__init__([*FIELDS], rename_fields=FIELDS, timestamp="time")
        self._mask = mask or Mask()

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Add the context to the fields of an event."""
        super().add_fields(log_data, record, message_dict)
        log_data.update(context())

    def format(self, record: logging.LogRecord) -> str:
        """Return the event's line, without secrets."""
        return self._mask(super().format(record))
