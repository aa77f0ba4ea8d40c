"""Warnings about stalled jobs, by one worker for the whole fleet."""

from __future__ import annotations

import logging
from itertools import islice

from dubbing.documents import is_identifier
from dubbing.errors import NotFound
from dubbing.jobs.facts import load_facts
from dubbing.jobs.reasons import reasons
from dubbing.jobs.status import status_if_readable
from dubbing.ledger import Ledger
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.telemetry.context import bound

log = logging.getLogger(__name__)

SECONDS = 60.0
"""Seconds between two checks of all open jobs."""
AT_ONCE = 200
"""Number of jobs to ask Redis about in one call."""


class Stalls:
    """Warns of open jobs without progress for some time, and again after each such time."""

    def __init__(self, storage: Storage, ledger: Ledger, seconds: float) -> None:
        """seconds: time without progress after which a job has stalled."""
        self._storage = storage
        self._ledger = ledger
        self._seconds = seconds

    def step(self) -> None:
        """Check all open jobs, unless another worker has just done so."""
        if not self._ledger.turn("stalls", max(1, round(min(SECONDS, self._seconds)) - 1)):
            return
        names = (key.removeprefix(Keys.OPEN) for key in self._storage.keys(Keys.OPEN))
        # Other programs put files beside the marks.
        ids = filter(is_identifier, names)
        while some := list(islice(ids, AT_ONCE)):
            for id_, idle in zip(some, self._ledger.events.idle_seconds(some), strict=True):
                if idle is not None and idle > self._seconds:
                    self._warn(id_)

    def _warn(self, id_: str) -> None:
        if not self._ledger.turn(f"stall:{id_}", max(1, round(self._seconds))):
            return
        try:
            status = status_if_readable(self._storage, self._ledger, id_)
        except NotFound:
            # The job was removed meanwhile.
            return
        facts = load_facts(self._storage, [id_]).get(id_)
        with bound(job=id_, round=status.round, tenant=facts and facts.tenant):
            words = "; ".join(reasons(self._storage, self._ledger, status))
            log.warning("%s makes no progress: it is %s: %s", id_, status.state.value, words)
