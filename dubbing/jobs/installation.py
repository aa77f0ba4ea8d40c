"""An installation: one storage and one Redis, which hold the same id.

A process whose settings name the storage of one installation and the Redis of another would take
batches that it cannot read, and store results in the wrong place. So the ids are compared before a
process takes work or writes a job, and again while a worker runs.

The id in storage is written once. Redis may lose its id, and gets it again from the first worker or
client that compares. If that process belongs to another installation, the workers of this one find
the wrong id, and take no work until an operator acts.
"""

from __future__ import annotations

import secrets

from dubbing.errors import NotFound, WrongInstallation
from dubbing.ledger import Ledger
from dubbing.storage import Keys, Storage


class Installation:
    """The storage and the Redis that a process works with. Safe to use from several threads."""

    def __init__(self, storage: Storage, ledger: Ledger, id_: str = "") -> None:
        """Take the id that the parent process has compared; without one, call `enter` first."""
        self.id = id_
        self._storage = storage.impatient()
        self._ledger = ledger

    def compare(self) -> None:
        """Raise WrongInstallation when Redis has an id and storage another, or none; write nothing.

        For readers: the wrong storage would seem to hold none of the jobs.
        """
        served = self._ledger.installation()
        if served is not None and self._stored() != served:
            raise self._wrong("their ids differ")

    def enter(self) -> None:
        """Compare the ids of storage and Redis; create an id if neither has one.

        Raises WrongInstallation, before anything is written.
        """
        served, stored = self._ledger.installation(), self._stored()
        if stored is None and served is None:
            self._storage.create(Keys.INSTALLATION, secrets.token_hex(16).encode())
            stored = self._stored()
        if stored is None:
            raise self._wrong("storage has no id")
        self.id = stored
        self.check_redis()

    def prepare(self) -> str:
        """Check that work can be submitted; return a caution about Redis, or ``""``.

        Raises QueueRefused and QueueUnavailable as `Ledger.check_writable` does, and
        WrongInstallation as `enter` does.
        """
        caution = self._ledger.check_writable()
        self.enter()
        return caution

    def check_redis(self) -> None:
        """Raise WrongInstallation when Redis has another id; a Redis without an id gets this one.

        Call it before a job is restored in a Redis that may have been emptied.
        """
        if self._ledger.join(self.id) != self.id:
            raise self._wrong("their ids differ")

    def check_storage(self) -> None:
        """Raise WrongInstallation when storage has no id, or another one: it was not mounted."""
        if self._stored() != self.id:
            raise self._wrong("storage does not hold the id that it had: is its folder mounted?")

    def _stored(self) -> str | None:
        try:
            return self._storage.get(Keys.INSTALLATION).decode(errors="replace")
        except NotFound:
            return None

    def _wrong(self, why: str) -> WrongInstallation:
        return WrongInstallation(
            f"the storage {self._storage.url} and the Redis {self._ledger.place} do not belong to "
            f"the same installation ({why}): point DUBBING_STORAGE_URL and DUBBING_REDIS_URL at "
            "the same one; if this Redis served one that is gone, delete its keys dubbing:*, or "
            "choose another database number"
        )
