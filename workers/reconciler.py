"""The reconciler: a thread in every worker that keeps queues filled and restores lost work.

It is a thread, as a timer of Celery that blocks would freeze dispatch and ping. Several reconcilers
may do the same step at the same time.
"""

from __future__ import annotations

import logging
import threading
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
from dubbing.queue import Publisher
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from workers.heartbeat import Heartbeat

log = logging.getLogger(__name__)

FILL_SECONDS = 1.0
"""Seconds between two fills of the queues, after which a lease that ran out is noticed."""
START_SECONDS = 0.1
"""The same while the worker starts and its engines load."""
AT_ONCE = 200
"""Jobs whose entries Redis counts in one call: it serves nobody else for some milliseconds."""
REBUILD_SECONDS = 10.0
"""Seconds between two comparisons of storage with the ledger."""


class Reconciler:
    """Sends heartbeats, fills queues, and restores jobs that Redis lost."""

    def __init__(
        self,
        storage: Storage,
        ledger: Ledger,
        publisher: Publisher,
        heartbeat: Heartbeat,
        installation: Installation,
    ) -> None:
        self._storage = storage
        self._ledger = ledger
        self._publisher = publisher
        self._heartbeat = heartbeat
        self._installation = installation
        self._told: dict[str, str] = {}
        """Jobs that are left as they are, and what was logged of each."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)

    def start(self) -> None:
        """Start the thread; engines may still be loading."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and publish that the worker is gone."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        try:
            self._heartbeat.leave()
        except DubbingError as exc:
            log.warning("this worker cannot publish its end: %s", exc)

    def _run(self) -> None:
        turns = round(REBUILD_SECONDS / FILL_SECONDS)
        count = 0
        failing = False
        while True:
            try:
                self._heartbeat.beat()
                due = count % turns == 0
                self._compare(thoroughly=due)
                # A worker that cannot use its storage leaves this to those that can.
                if due and not self._heartbeat.fault and not self._heartbeat.record.holding.fault:
                    self._rebuild()
                self._publisher.fill(self._heartbeat.record.queues)
                failing = failing and not due
            except DubbingError as exc:
                log.log(
                    logging.DEBUG if failing else logging.WARNING,
                    "the reconciler tries again: %s",
                    exc,
                )
                failing = True
            except Exception:
                # Without this thread nothing would restore lost work.
                log.exception("the reconciler tries again")
            count += 1
            if self._stop.wait(FILL_SECONDS if self._heartbeat.settled else START_SECONDS):
                return

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
        """Make the ledger whole for each open job whose entries do not add up."""
        # Reconcilers of each format have turns of their own: those of an older one, which cannot
        # read newer jobs, could otherwise take every turn.
        if not self._ledger.turn(f"rebuild:{FORMAT}", round(REBUILD_SECONDS) - 1):
            return
        names = (key.removeprefix(Keys.OPEN) for key in self._storage.keys(Keys.OPEN))
        # Other programs put files of their own beside the marks.
        ids = filter(is_identifier, names)
        while some := list(islice(ids, AT_ONCE)):
            for job_id, audit in zip(some, self._ledger.audit(some), strict=True):
                if audit is not Audit.SOUND:
                    self._put_back(job_id, audit)

    def _put_back(self, job_id: str, audit: Audit) -> None:
        try:
            job = load_job(self._storage, job_id)
            put_to_work(self._storage, self._ledger, job)
        except NotFound:
            # Its submission is under way, or broke off and was never accepted.
            return
        except NewerRelease as exc:
            self._tell(job_id, "is left to workers of a newer release", exc)
        except StorageUnavailable as exc:
            # This raises when all of storage is away; else one job holds up no other.
            self._installation.check_storage()
            self._tell(job_id, "waits until its documents can be read", exc)
        except Transient:
            raise
        except Exception as exc:  # noqa: BLE001 - a job that cannot be read holds up no other
            self._tell(job_id, "waits until it is mended or cancelled", exc)
        else:
            self._told.pop(job_id, None)
            log.info("%s is put back to work from storage: in Redis it was %s", job_id, audit.value)

    def _tell(self, job_id: str, what: str, exc: Exception) -> None:
        """Log once why a job is left as it is, with a traceback if nobody foresaw the error."""
        if self._told.get(job_id) != str(exc):
            log.warning("%s %s: %s", job_id, what, exc, exc_info=not isinstance(exc, DubbingError))
        self._told[job_id] = str(exc)
