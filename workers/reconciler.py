"""The reconciler: a thread in every worker that keeps queues filled and restores lost work.

It is a thread, as a timer of Celery that blocks would freeze dispatch and ping. Several reconcilers
may do the same step at the same time.
"""

from __future__ import annotations

import logging
import threading

from dubbing.documents import FORMAT
from dubbing.errors import DubbingError, NewerRelease, NotFound, Transient
from dubbing.jobs.rounds import put_to_work
from dubbing.jobs.store import load_job
from dubbing.ledger import Ledger
from dubbing.queue import Publisher
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from workers.heartbeat import Heartbeat

log = logging.getLogger(__name__)

FILL_SECONDS = 1.0
"""Seconds between two fills of the queues, after which a lease that ran out is noticed."""
START_SECONDS = 0.1
"""The same while the worker starts and its engines load."""
REBUILD_SECONDS = 10.0
"""Seconds between two comparisons of storage with the ledger."""


class Reconciler:
    """Sends heartbeats, fills queues, and restores jobs that Redis lost."""

    def __init__(
        self, storage: Storage, ledger: Ledger, publisher: Publisher, heartbeat: Heartbeat
    ) -> None:
        self._storage = storage
        self._ledger = ledger
        self._publisher = publisher
        self._heartbeat = heartbeat
        self._left: set[str] = set()
        """Marks of jobs that are left to workers of a newer release, and were logged."""
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
        while True:
            try:
                self._heartbeat.beat()
                if count % turns == 0:
                    self._rebuild()
                self._publisher.fill(self._heartbeat.record.queues)
            except DubbingError as exc:
                log.warning("the reconciler tries again: %s", exc)
            except Exception:
                # Without this thread nothing would restore lost work.
                log.exception("the reconciler tries again")
            count += 1
            if self._stop.wait(FILL_SECONDS if self._heartbeat.settled else START_SECONDS):
                return

    def _rebuild(self) -> None:
        """Put open jobs to work that the ledger does not know, or knows only by an ended round."""
        # Whoever reads another format has turns of their own, or its jobs might never get one.
        if not self._ledger.turn(f"rebuild:{FORMAT}", round(REBUILD_SECONDS) - 1):
            return
        for key in self._storage.keys(Keys.OPEN):
            try:
                self._put_back(key.removeprefix(Keys.OPEN))
            except NewerRelease as exc:
                if key not in self._left:
                    log.warning("%s is left to workers of a newer release: %s", key, exc)
                self._left.add(key)
            except Transient:
                raise
            except Exception:
                # A job that cannot be read must not hold up the others.
                log.exception("%s cannot be put back to work", key)

    def _put_back(self, job_id: str) -> None:
        known = self._ledger.snapshot(job_id)
        if known and not known.state.ended:
            return
        try:
            job = load_job(self._storage, job_id)
        except NotFound:
            # Its submission is under way, or broke off and was never accepted.
            return
        log.info("%s is put back to work from storage", job_id)
        put_to_work(self._storage, self._ledger, job)
