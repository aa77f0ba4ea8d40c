"""Logging: one line an event, to standard error, for people and for collectors alike."""

from __future__ import annotations

import logging


def configure(level: str) -> None:
    """Log from ``level`` on; libraries from WARNING on."""
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(processName)s %(name)s: %(message)s",
        force=True,
    )
    for name in ("dubbing", "tasks", "workers"):
        logging.getLogger(name).setLevel(level)
