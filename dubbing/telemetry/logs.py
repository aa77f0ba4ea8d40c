"""Logging: one line per event, to standard error, for people and for log collectors."""

from __future__ import annotations

import logging


def configure(level: str) -> None:
    """Log this project's messages from ``level`` on, and those of libraries from WARNING on."""
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(processName)s %(name)s: %(message)s",
        force=True,
    )
    for name in ("dubbing", "tasks", "workers"):
        logging.getLogger(name).setLevel(level)
