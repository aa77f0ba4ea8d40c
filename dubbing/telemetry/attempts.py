"""Attempts at a step that a thread or an asyncio task repeats until its process ends."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from dubbing.errors import DubbingError


class Attempts:
    """Logs failed attempts instead of raising, so that the thread or task goes on."""

    def __init__(self, log: logging.Logger, words: str) -> None:
        """Begin without a failure.

        words: the beginning of each log line, such as ``the heartbeat tries again``.
        """
        self.failing = False
        """Whether the last attempt failed."""
        self._log = log
        self._words = words

    @contextmanager
    def one(self) -> Iterator[None]:
        """Make one attempt in the block; log its error and suppress it.

        Of several DubbingErrors in a row, the first is a warning, and the others are for debugging.
        Any other error is logged with its traceback.
        """
        try:
            yield
        except DubbingError as exc:
            level = logging.DEBUG if self.failing else logging.WARNING
            self._log.log(level, "%s: %s", self._words, exc)
            self.failing = True
        except Exception:  # noqa: BLE001 - without its thread or task, nobody would do the step
            self._log.exception(self._words)
            self.failing = True
        else:
            self.failing = False
