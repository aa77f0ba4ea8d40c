"""The connection of a client to one system: its storage, its Redis, and their contents."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Self

from dubbing.engines.engine import EngineSpec
from dubbing.engines.published import known_specs
from dubbing.errors import QueueUnavailable
from dubbing.job import DEFAULT_TENANT
from dubbing.jobs.installation import Installation
from dubbing.ledger import Ledger
from dubbing.queue import Publisher
from dubbing.queue.fleet import Fleet
from dubbing.settings import Settings
from dubbing.storage import Storage
from dubbing.system import System

if TYPE_CHECKING:
    from dubbing.engines.remote.registry import Registry
    from dubbing.voices.library import Voices


class Connection:
    """Access to one system: a Redis and a storage."""

    def __init__(self, system: System) -> None:
        """Keep the system; nothing is connected yet."""
        self._system = system

    @classmethod
    def connect(cls, settings: Settings | None = None) -> Self:
        """Return a client of the system in the settings; by default, those of the environment.

        The first method that needs Redis connects to it, and raises QueueUnavailable if Redis does
        not answer. `preview` and `voices` need no Redis.
        """
        return cls(System(settings or Settings()))

    def greet(self) -> None:
        """Connect to storage and Redis, within seconds; raises as `storage` and `ledger` do.

        For a process that may start together with Redis: it waits for Redis a moment. Raises
        WrongInstallation when they do not belong together.
        """
        self._system.ledger.greet()
        self._installation.enter()

    @cached_property
    def storage(self) -> Storage:
        """Object storage; raises StorageUnavailable, or StorageRefused that says what to check."""
        self._system.storage.greet()
        return self._system.storage

    @cached_property
    def ledger(self) -> Ledger:
        """State in Redis; raises QueueUnavailable, or QueueRefused that says what to check."""
        self._system.ledger.greet(patient=False)
        return self._system.ledger

    @property
    def publisher(self) -> Publisher:
        """The publisher, which sends messages to workers."""
        return self._system.publisher

    @cached_property
    def fleet(self) -> Fleet:
        """The workers."""
        return Fleet(self.ledger, self.publisher, self.specs)

    @cached_property
    def voices(self) -> Voices:
        """The stored voices of the default tenant."""
        return self.voices_of(DEFAULT_TENANT)

    def voices_of(self, tenant: str) -> Voices:
        """Return the stored voices of a tenant."""
        from dubbing.voices.library import Voices

        return Voices(self.storage, self.specs, tenant)

    @property
    def registry(self) -> Registry:
        """The servers of remote engines."""
        return self._system.registry

    def specs(self) -> dict[str, EngineSpec]:
        """Return the specs of the engines that jobs can name."""
        return known_specs(self.storage, self._system.catalogue)

    @cached_property
    def _installation(self) -> Installation:
        """Storage and Redis, greeted; they have to belong together before anything is written."""
        self._both  # noqa: B018 - an error of either says what to check
        return self._system.installation

    @cached_property
    def _both(self) -> tuple[Storage, Ledger]:
        """Storage and ledger, greeted at the same time, because they may be far away."""
        with ThreadPoolExecutor(1) as beside:
            ledger = beside.submit(lambda: self.ledger)
            return self.storage, ledger.result()

    def _ledger_at_hand(self) -> Ledger | None:
        """Return the ledger if Redis answers at once."""
        try:
            ledger = self._system.ledger
        except QueueUnavailable:
            return None
        return ledger if ledger.answers() else None
