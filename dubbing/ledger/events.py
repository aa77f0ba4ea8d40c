"""The events of jobs: a capped stream for each job, which watchers read from a known id on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server

Told: TypeAlias = tuple[str, dict[str, str]]
"""An event: its id and its fields, such as the new state of the job."""


class Events:
    """The events of all jobs. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def news(self, after: Mapping[str, str], *, wait: float) -> dict[str, list[Told]]:
        """Return the new events of each job that has any, in one call for all jobs.

        after: the id of the last known event of each job. wait: seconds to wait for the first one.
        """
        streams: dict[Any, Any] = {_stream(job): id_ for job, id_ in after.items()}
        jobs = dict(zip(streams, after, strict=True))
        with self._server.commands() as redis:
            found: Any = redis.xread(streams, count=500, block=max(1, int(wait * 1000)))
        return {jobs[stream]: events for stream, events in found}

    def past(self, job: str, after: str) -> list[Told]:
        """Return the kept events of a job after an id."""
        with self._server.commands() as redis:
            found: Any = redis.xrange(_stream(job), min=f"({after}")
        return list(found)

    def last(self, job: str) -> str:
        """Return the id of the newest event, for a watcher that starts from a snapshot."""
        with self._server.commands() as redis:
            newest: Any = redis.xrevrange(_stream(job), count=1)
        return newest[0][0] if newest else "0-0"

    def idle_seconds(self, jobs: Sequence[str]) -> list[float | None]:
        """Return the seconds since the newest event of each job; None for a job without events."""
        with self._server.commands() as redis:
            calls = redis.pipeline(transaction=False)
            calls.time()
            for job in jobs:
                calls.xrevrange(_stream(job), count=1)
            (seconds, micros), *newest = calls.execute()
        now = seconds + micros / 1e6
        return [now - int(found[0][0].split("-")[0]) / 1000 if found else None for found in newest]


def _stream(job: str) -> str:
    return f"{PREFIX}job:{job}:events"
