"""The reconciler of a worker: it restores work that Redis lost, and removes finished work.

A promoted replica or a restored Redis is in an older state: it lacks newer jobs, and holds work of
jobs that have ended or were removed since.

Several reconcilers may do the same step at the same time.
"""

from __future__ import annotations

import logging
import math
import time
from itertools import islice

from dubbing.documents import FORMAT, is_identifier
from dubbing.errors import (
    DubbingError,
    NewerRelease,
    NotFound,
    StorageUnavailable,
    Transient,
    WrongInstallation,
)
from dubbing.jobs.installation import Installation
from dubbing.jobs.rounds import put_to_work
from dubbing.jobs.store import load_job
from dubbing.ledger import Audit, Ledger
from dubbing.storage import Storage, each
from dubbing.storage.keys import Keys
from workers.heartbeat import Heartbeat

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Number of jobs to audit in one call, which blocks Redis for some milliseconds."""
REBUILD_SECONDS = 10.0
"""Seconds between two comparisons of storage with the ledger."""


class Reconciler:
    """Restores jobs that Redis lost; its worker rests while storage and Redis do not match."""

    def __init__(
        self,
        storage: Storage,
        ledger: Ledger,
        heartbeat: Heartbeat,
        installation: Installation,
    ) -> None:
        self._storage = storage
        self._ledger = ledger
        self._heartbeat = heartbeat
        self._installation = installation
        self._told: dict[str, str] = {}
        """Open jobs that could not be restored, with the logged reason of each."""
        self._rebuilt = -math.inf

    def step(self) -> None:
        """Compare the ids of the installation and, when due, storage with the ledger."""
        due = time.monotonic() - self._rebuilt >= REBUILD_SECONDS
        self._compare(thoroughly=due)
        # A worker that cannot use its storage leaves this to other workers.
        if due and not self._heartbeat.fault and not self._heartbeat.record.holding.fault:
            self._rebuilt = time.monotonic()
            self._rebuild()

    def _compare(self, *, thoroughly: bool) -> None:
        """Take no work while Redis serves another installation, or storage belongs to another.

        thoroughly: look into storage too, which may be far away.
        """
        try:
            self._installation.check_redis()
            if thoroughly or self._heartbeat.fault:
                self._installation.check_storage()
        except WrongInstallation as exc:
            self._heartbeat.fault = str(exc)
        else:
            self._heartbeat.fault = ""

    def _rebuild(self) -> None:
        """Restore each open job in the ledger, and remove jobs that are no longer open."""
        # Reconcilers of each format have their own turns. Otherwise reconcilers of an older format,
        # which cannot read newer jobs, could take every turn.
        if not self._ledger.turn(f"rebuild:{FORMAT}", round(REBUILD_SECONDS) - 1):
            return
        # Read before the marks, because a job is marked before the ledger knows it.
        queues = {queue for worker in self._ledger.crew.workers() for queue in worker.queues}
        strays = self._ledger.at_work(queues)
        names = (key.removeprefix(Keys.OPEN) for key in self._storage.keys(Keys.OPEN))
        # Other programs put files beside the marks.
        ids = filter(is_identifier, names)
        unsound: set[str] = set()
        while some := list(islice(ids, AT_ONCE)):
            audited = zip(some, self._ledger.audit(some), strict=True)
            lost = [found for found in audited if found[1] is not Audit.SOUND]
            each(self._put_back, lost)
            unsound.update(job_id for job_id, _ in lost)
            strays.difference_update(some)
        each(self._put_back, [(stray, None) for stray in strays])
        # A job may have been cancelled, or mended by another reconciler.
        for job_id in self._told.keys() - unsound - strays:
            del self._told[job_id]

    def _put_back(self, found: tuple[str, Audit | None]) -> None:
        """Restore a job in the ledger from storage; audit None: the job is not marked as open."""
        job_id, audit = found
        try:
            job = load_job(self._storage, job_id, 1)
            put_to_work(self._storage, self._ledger, job)
        except NotFound:
            # The submission of a marked job is under way, or broke off and was never accepted.
            if audit is None:
                self._ledger.forget(job_id)
                log.info("%s was removed: its entries in Redis are dropped", job_id)
        except NewerRelease as exc:
            self._tell(job_id, "is left to workers of a newer release", exc)
        except StorageUnavailable as exc:
            # This raises when all of storage is away; otherwise one job delays no other.
            self._installation.check_storage()
            self._tell(job_id, "waits until its documents can be read", exc)
        except Transient:
            raise
        except Exception as exc:  # noqa: BLE001 - a job that cannot be read holds up no other
            self._tell(job_id, "waits until it is mended or cancelled", exc)
        else:
            self._told.pop(job_id, None)
            was = audit.value if audit else "at work, and is not open"
            log.info("%s was restored from storage: in Redis it was %s", job_id, was)

    def _tell(self, job_id: str, what: str, exc: Exception) -> None:
        """Log once why a job stays unchanged, with a traceback for an unexpected error."""
        if self._told.get(job_id) != str(exc):
            log.warning("%s %s: %s", job_id, what, exc, exc_info=not isinstance(exc, DubbingError))
        self._told[job_id] = str(exc)
