"""Cached lists of the lines of jobs, for example for a page that is reloaded."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from dubbing.jobs.approvals import approved
from dubbing.jobs.lines import lines_of
from dubbing.jobs.status import Status
from dubbing.storage import Storage

KEPT = 4
"""Number of cached answers; an answer of 10,000 lines has megabytes."""


class Told:
    """Lists the lines of jobs as JSON. Safe to use from several threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._kept: OrderedDict[object, bytes] = OrderedDict()
        self._lock = Lock()

    def of(self, status: Status) -> bytes:
        """Return the lines of a job; raises as `lines_of` does.

        They are cached once the job has ended with an output: only approvals change then.
        """
        good = frozenset(approved(self._storage, status.id))
        # The name of an output belongs to exactly one job, round and run.
        asked = status.output, status.round, good
        with self._lock:
            if asked in self._kept:
                self._kept.move_to_end(asked)
                return self._kept[asked]
        found = lines_of(self._storage, status, good).model_dump_json().encode()
        if status.state.ended and status.output:
            with self._lock:
                self._kept[asked] = found
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return found
