"""Collects garbage every few seconds during a soak, and counts the removed clips."""

from __future__ import annotations

import threading
from collections import Counter

from dubbing.errors import DubbingError
from dubbing.retention.collect import collect
from dubbing.retention.rules import OTHERS, Bound, Kind, Rules
from dubbing.storage import Keys, Storage

BETWEEN = 3.0
"""Seconds from the end of a collection to the next one."""
RULES = Rules(
    {
        # Longer than a worker may be suspended between taking a clip and storing its result.
        (OTHERS, Kind.CLIPS): Bound(age=15.0),
        (OTHERS, Kind.STRAYS): Bound(age=30.0),
    }
)


class Noting(Storage):
    """A storage that notes the clips that are removed from it."""

    def __init__(self, url: str) -> None:
        super().__init__(None, url)
        self.gone: list[str] = []

    def delete(self, key: str) -> None:
        """Remove an object."""
        if key.startswith(Keys.CLIPS):
            self.gone.append(key)
        super().delete(key)


class Janitor:
    """A thread that collects garbage until it is told to stop."""

    def __init__(self, storage: Storage) -> None:
        """Take the storage of the system; nothing is collected yet."""
        self.collections = 0
        self.faults: list[str] = []
        self._storage = Noting(storage.url)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="janitor")

    @property
    def gone(self) -> Counter[str]:
        """How often each clip was removed, by its key."""
        return Counter(self._storage.gone)

    def start(self) -> None:
        """Begin to collect."""
        self._thread.start()

    def stop(self) -> None:
        """Return when the last collection is over."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(BETWEEN):
            try:
                collect(self._storage, RULES)
            except DubbingError as exc:
                self.faults.append(f"garbage was not collected: {exc}")
            self.collections += 1
