"""The thread in every worker that keeps queues filled and brings back what was lost.

A thread and not a timer of Celery's: a timer that blocks freezes dispatch and ping. Whatever it
does, others may do at the same time.
"""

from __future__ import annotations

import logging
import threading

from dubbing.errors import DubbingError, NotFound, Transient
from dubbing.jobs.rounds import put_to_work
from dubbing.jobs.store import load_job
from dubbing.ledger import Ledger
from dubbing.queue import Publisher
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from workers.heartbeat import Heartbeat

log = logging.getLogger(__name__)

FILL_SECONDS = 1.0
"""How often queues are looked at: a lease that ran out is seen so soon."""
START_SECONDS = 0.1
"""How often a worker that is starting looks whether its engines are loaded."""
REBUILD_SECONDS = 10.0
"""How often storage is compared with the ledger."""


class Reconciler:
    """Heartbeat, queue depth, and jobs that Redis forgot."""

    def __init__(
        self, storage: Storage, ledger: Ledger, publisher: Publisher, heartbeat: Heartbeat
    ) -> None:
        self._storage = storage
        self._ledger = ledger
        self._publisher = publisher
        self._heartbeat = heartbeat
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)

    def start(self) -> None:
        """Begin; engines may be loading yet."""
        self._thread.start()

    def stop(self) -> None:
        """End, and say that the worker is gone."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        try:
            self._heartbeat.leave()
        except DubbingError as exc:
            log.warning("this worker leaves without a word: %s", exc)

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
                # Without this thread nothing would bring lost work back.
                log.exception("the reconciler tries again")
            count += 1
            if self._stop.wait(FILL_SECONDS if self._heartbeat.settled else START_SECONDS):
                return

    def _rebuild(self) -> None:
        """Put back every open job that the ledger does not know, or knows by an earlier round."""
        if not self._ledger.turn("rebuild", round(REBUILD_SECONDS) - 1):
            return
        for key in self._storage.keys(Keys.OPEN):
            try:
                self._put_back(key.removeprefix(Keys.OPEN))
            except Transient:
                raise
            except Exception:
                # One job that cannot be read may not keep the others from their turn.
                log.exception("%s cannot be put back to work", key)

    def _put_back(self, job_id: str) -> None:
        known = self._ledger.snapshot(job_id)
        if known and not known.state.ended:
            return
        try:
            job = load_job(self._storage, job_id)
        except NotFound:
            # Its submission is under way, or broke off: then it was never accepted.
            return
        log.info("%s is put back to work from storage", job_id)
        put_to_work(self._storage, self._ledger, job)
