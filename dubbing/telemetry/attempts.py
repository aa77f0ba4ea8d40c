"""Attempts at a step that a thread or a task repeats for as long as its process lives."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from dubbing.errors import DubbingError


class Attempts:
    """Logs each attempt that fails, so that the next one follows."""

    def __init__(self, log: logging.Logger, words: str) -> None:
        """words: begin the line of a failure, such as ``the heartbeat tries again``."""
        self.failing = False
        """Whether the last attempt failed."""
        self._log = log
        self._words = words

    @contextmanager
    def one(self) -> Iterator[None]:
        """Make one attempt in the block, which no error leaves.

        Of our own errors in a row, the first one is a warning.
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
