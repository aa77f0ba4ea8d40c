"""A process's access to storage: without it, the process takes no work and blames no batch."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from dubbing.errors import DubbingError, NotFound, StorageUnavailable, WrongInstallation
from dubbing.jobs.installation import Installation
from dubbing.storage import Keys, Storage

log = logging.getLogger(__name__)

PROBE = bytes(256 << 10)
"""Content of the object that is written as a probe: about as large as a clip."""
PROBE_SECONDS = 5.0
"""Pause between two probes of a storage that fails."""


class Access:
    """Tracks whether one process can use its storage. Safe to use from several threads."""

    def __init__(
        self,
        storage: Storage,
        installation: Installation,
        changed: Callable[[str], object] = lambda fault: None,
    ) -> None:
        """Assume that storage works.

        changed: called with the reason why storage cannot be used, and with ``""`` when it works
        again.
        """
        self.installation = installation
        self.fault = ""
        """Why this process cannot use storage; empty while it can."""
        self._storage = storage.impatient()
        self._changed = changed

    def check(self) -> None:
        """Raise StorageUnavailable while this process cannot use storage."""
        # Another thread may clear the fault between two reads of it.
        if fault := self.fault:
            raise StorageUnavailable(fault)

    def check_mounted(self) -> None:
        """Raise WrongInstallation if the folder of storage is gone; call this before a write.

        Another folder may have taken its place, and would accept the write.
        """
        if self._storage.path("") is not None:
            self.installation.check_storage()

    def lost(self, exc: Exception) -> bool:
        """Whether an error shows that this process cannot use storage at all.

        An error of storage, or a missing object (the folder may not be mounted), causes a probe.
        After a failed probe, such errors are the fault of this process until a probe succeeds.
        """
        if not isinstance(exc, StorageUnavailable | NotFound | WrongInstallation):
            return False
        if not self.fault and (fault := self._probe()):
            log.error("this process takes no work: %s", fault)
            self._note(fault)
            threading.Thread(target=self._wait, name="access", daemon=True).start()
        return bool(self.fault)

    def _wait(self) -> None:
        """Probe storage until it works."""
        time.sleep(PROBE_SECONDS)
        while self._probe():
            time.sleep(PROBE_SECONDS)
        log.info("storage works again, and this process takes work")
        self._note("")

    def _note(self, fault: str) -> None:
        self.fault = fault
        self._changed(fault)

    def _probe(self) -> str:
        """Read and write within seconds; return why that failed, or ``""``."""
        try:
            self.installation.check_storage()
            self._storage.replace(Keys.PROBE, PROBE)
            self._storage.delete(Keys.PROBE)
        except DubbingError as exc:
            return f"storage cannot be used: {exc}"
        return ""
