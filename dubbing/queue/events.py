"""Celery's task events for Flower, sent by a thread.

Celery itself sends them from the loop that hands out tasks, so each task would wait for Redis
twice.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery.app.events import Events
from celery.events.dispatcher import EventDispatcher
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


class Dispatcher(EventDispatcher):  # type: ignore[misc]
    """Celery's dispatcher; a thread sends its buffer."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._due = threading.Event()
        self._thread: threading.Thread | None = None
        super().__init__(*args, **options)

    def flush(self, errors: bool = True, groups: bool = True) -> None:
        """Trigger the sending of the buffer."""
        self._due.set()
        if not self._closed and not (self._thread and self._thread.is_alive()):
            self._thread = threading.Thread(target=self._send, name="events", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        super().close()
        self._due.set()

    def _send(self) -> None:
        while not self._closed:
            self._due.wait()
            self._due.clear()
            try:
                super().flush()
            except (OperationalError, OSError) as exc:
                log.info("events are sent again later: %s", exc)


class OurEvents(Events):  # type: ignore[misc]
    """Celery's events, with our dispatcher."""

    dispatcher_cls = Dispatcher
