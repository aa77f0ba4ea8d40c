"""Why nobody works on what a job needs, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dubbing.jobs.status import Status


def hindrances(status: Status, *, remedy: str = "") -> list[str]:
    """Return why nobody works on what a job needs.

    remedy: what to do when there is no worker, with ``{}`` for what it is started with.
    """
    missing = [name for name in status.lacks if name not in status.unable | status.faults]
    return [
        *(f"no worker is online for {engine}{remedy.format(engine)}" for engine in missing),
        *status.unable.values(),
        *(f"no worker takes work for {name} now: {why}" for name, why in status.faults.items()),
        *(f"{engine} is being loaded" for engine in status.loading),
    ]
