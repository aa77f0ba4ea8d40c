"""The workers of the system, from their heartbeats and the reports of their processes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from dubbing.documents import received, stored
from dubbing.engines.holding import Holding
from dubbing.errors import Damaged, NewerRelease
from dubbing.ledger.records import (
    OFFLINE_SECONDS,
    PREFIX,
    SCANNED_AT_ONCE,
    WorkerRecord,
    WorkerState,
)
from dubbing.ledger.server import Server
from dubbing.ledger.vitals import Work

log = logging.getLogger(__name__)

HOLDING_SECONDS = 3600
"""Time for which the reports of a worker's processes are kept after its last heartbeat."""
OLDER = "it runs release 0.1.0: upgrade it; the gateway and metrics do not show it"


class Crew:
    """The workers that the ledger knows. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def beat(self, worker: WorkerRecord, left: Sequence[str] = ()) -> None:
        """Record a heartbeat of a worker, which counts as offline 30 s after the last one.

        left: queues from which it no longer takes work.
        """
        queues, record = worker.queues, worker.model_dump_json()
        self._server.run("beat", worker.name, record, worker.slots, len(queues), *queues, *left)

    def leave(self, worker: WorkerRecord) -> None:
        """Remove a worker that leaves."""
        self._server.run("beat", worker.name, "", 0, 0, *worker.queues)

    def workers(self) -> list[WorkerRecord]:
        """Return the workers by name; offline workers are listed for an hour.

        Of an unreadable heartbeat, only the name is returned, and the fault among the errors.
        """
        return self._workers([])

    def unlisted(self) -> list[WorkerRecord]:
        """Return the workers of release 0.1.0, which enter no list. Goes through all keys."""
        start = f"{PREFIX}worker:"
        with self._server.commands() as redis:
            keys = redis.scan_iter(match=f"{start}*", count=SCANNED_AT_ONCE)
            names = {key.removeprefix(start) for key in keys}
        names -= {worker.name for worker in self.workers()}
        found = [worker for worker in self._workers(sorted(names)) if worker.name in names]
        return [worker.model_copy(update={"errors": (*worker.errors, OLDER)}) for worker in found]

    def _workers(self, unlisted: Sequence[str]) -> list[WorkerRecord]:
        beats = self._server.run("workers", *unlisted)
        found = [_worker(name, float(age), record) for name, age, record in beats]
        return sorted(found, key=lambda worker: worker.name)

    def hold(
        self, worker: str, process: int, holding: Holding, *, unless_known: bool = False
    ) -> None:
        """Record the engines of a process of a worker.

        process: its number; a replacement gets the number of the dead process.
        unless_known: keep an earlier record.
        """
        key, value = f"{PREFIX}holding:{worker}", holding.model_dump_json()
        with self._server.commands() as redis, redis.pipeline() as pipe:
            note = pipe.hsetnx if unless_known else pipe.hset
            note(key, str(process), value)
            pipe.expire(key, HOLDING_SECONDS)
            pipe.execute()

    def holdings(self, worker: str) -> dict[int, Holding]:
        """Return the engines of each process of a worker, by its number.

        An unreadable report is skipped: its process repeats it in a moment.
        """
        return self.known(worker)[1]

    def known(self, worker: str) -> tuple[bool, dict[int, Holding]]:
        """Return whether a worker's heartbeat is recorded, and as `holdings` does, in one call."""
        key = f"{PREFIX}holding:{worker}"
        with self._server.commands() as redis, redis.pipeline(transaction=False) as pipe:
            pipe.exists(f"{PREFIX}worker:{worker}")
            pipe.hgetall(key)
            recorded, found = pipe.execute()
        holdings: dict[int, Holding] = {}
        for process, report in sorted(found.items()):
            try:
                holdings[int(process)] = stored(Holding, report, key)
            except (Damaged, ValueError) as exc:
                log.warning("a report of process %.20r is passed over: %s", process, exc)
        return bool(recorded), holdings

    def add_work(self, worker: str, work: Work) -> None:
        """Add the finished work of a process to that of its worker."""
        key = f"{PREFIX}work:{worker}"
        with self._server.commands() as redis, redis.pipeline() as pipe:
            for name, amount in work.model_dump().items():
                pipe.hincrby(key, name, amount)
            pipe.expire(key, HOLDING_SECONDS)
            pipe.execute()

    def work(self, worker: str) -> Work:
        """Return the finished work of all processes of a worker, ended ones too."""
        with self._server.commands() as redis:
            found: Any = redis.hgetall(f"{PREFIX}work:{worker}")
        try:
            return received(Work, found)
        except Damaged as exc:
            log.warning("what %s has done is unknown: %s", worker, exc)
            return Work()


def _worker(name: str, age: float, record: str) -> WorkerRecord:
    try:
        worker = stored(WorkerRecord, record, name)
    except (NewerRelease, Damaged):
        worker = WorkerRecord(
            name=name,
            engines=(),
            queues=(),
            slots=0,
            state=WorkerState.UNKNOWN,
            errors=("its heartbeat cannot be read: it may run a newer release of dubbing",),
        )
    seen: dict[str, Any] = {"age": age}
    if age >= OFFLINE_SECONDS:
        seen |= {"state": WorkerState.OFFLINE, "queues": ()}
    return worker.model_copy(update=seen)
