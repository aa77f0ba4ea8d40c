"""The finished work of a worker, and the load of the worker and its machine."""

from __future__ import annotations

import threading

from dubbing.documents import Model


class Work(Model):
    """Finished work: spoken lines, derived voices, assembled films."""

    done: int = 0
    failed: int = 0
    milliseconds: int = 0
    """Duration of all of it."""

    @property
    def mean_seconds(self) -> float | None:
        """Mean seconds of a line, voice or film; None if none was done."""
        count = self.done + self.failed
        return self.milliseconds / 1000 / count if count else None


class Tally:
    """Adds up the work of a process until it is reported. Safe to use from several threads."""

    def __init__(self) -> None:
        self._work = Work()
        self._lock = threading.Lock()

    def add(self, done: int, failed: int, seconds: float) -> None:
        """Count finished work, and its duration in seconds."""
        self.put_back(Work(done=done, failed=failed, milliseconds=round(seconds * 1000)))

    def put_back(self, work: Work) -> None:
        """Count work again that could not be reported."""
        with self._lock:
            before = self._work
            self._work = Work(
                done=before.done + work.done,
                failed=before.failed + work.failed,
                milliseconds=before.milliseconds + work.milliseconds,
            )

    def take(self) -> Work:
        """Return the work that was counted since the last call."""
        with self._lock:
            work, self._work = self._work, Work()
        return work


class Vitals(Model):
    """The load of a worker and its machine; None for an unknown or missing part."""

    cpu_percent: float | None = None
    """Of all processors of the machine."""
    memory_percent: float | None = None
    """Of the machine's memory."""
    memory_used_mb: float | None = None
    """MiB of the machine's memory."""
    worker_cpu_percent: float | None = None
    """By the processes of the worker; 100 is one processor."""
    worker_memory_mb: float | None = None
    """MiB of the worker's processes; shared memory counts in each."""
    gpu_percent: float | None = None
    """Share of time in which the worker's card was busy, with any program."""
    gpu_memory_percent: float | None = None
    """Of the memory of the worker's card."""
    gpu_memory_used_mb: float | None = None
    """MiB of the memory of the worker's card."""
    scratch_free_mb: float | None = None
    """Free MiB on the disk of its temporary files, where films are mixed."""
