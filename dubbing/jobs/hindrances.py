"""The reasons why no worker does a job's work, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dubbing.jobs.status import Status


def hindrances(status: Status, *, remedy: str = "") -> list[str]:
    """Return why no worker does a job's work.

    remedy: advice for a missing worker, with ``{}`` for the arguments of its start.
    """
    missing = [name for name in status.lacks if name not in status.unable | status.faults]
    return [
        *(f"no worker is online for {engine}{remedy.format(engine)}" for engine in missing),
        *status.unable.values(),
        *(f"no worker takes work for {name} now: {why}" for name, why in status.faults.items()),
        *(f"{engine} is being loaded" for engine in status.loading),
    ]
