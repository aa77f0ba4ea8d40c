"""How a worker fares: the work that it has done, and how busy it and its machine are."""

from __future__ import annotations

import threading

from dubbing.documents import Model


class Work(Model):
    """Work that was done: lines that were spoken, voices that were derived, films assembled."""

    done: int = 0
    failed: int = 0
    milliseconds: int = 0
    """How long all of it took."""

    @property
    def mean_seconds(self) -> float | None:
        """Seconds that one line, voice or film took; None while none was done."""
        count = self.done + self.failed
        return self.milliseconds / 1000 / count if count else None


class Tally:
    """Adds up the work of a process until it is reported. Safe to use from several threads."""

    def __init__(self) -> None:
        self._work = Work()
        self._lock = threading.Lock()

    def add(self, done: int, failed: int, seconds: float) -> None:
        """Count work that took so many seconds."""
        self.put_back(Work(done=done, failed=failed, milliseconds=round(seconds * 1000)))

    def put_back(self, work: Work) -> None:
        """Count work that could not be reported once more."""
        with self._lock:
            before = self._work
            self._work = Work(
                done=before.done + work.done,
                failed=before.failed + work.failed,
                milliseconds=before.milliseconds + work.milliseconds,
            )

    def take(self) -> Work:
        """Return the work that was counted since it was last taken."""
        with self._lock:
            work, self._work = self._work, Work()
        return work


class Vitals(Model):
    """How busy a worker and its machine are; None is not known, or there is no such thing."""

    cpu_percent: float | None = None
    """Of all processors of the machine."""
    memory_percent: float | None = None
    """Of the machine's memory."""
    memory_used_mb: float | None = None
    """MiB of the machine's memory."""
    worker_cpu_percent: float | None = None
    """By the processes of the worker; 100 is one processor."""
    worker_memory_mb: float | None = None
    """MiB that the processes of the worker hold, with what they share counted in each."""
    gpu_percent: float | None = None
    """Of the time in which the worker's card was busy, whoever used it."""
    gpu_memory_percent: float | None = None
    """Of the memory of the worker's card."""
    gpu_memory_used_mb: float | None = None
    """MiB of the memory of the worker's card."""
    scratch_free_mb: float | None = None
    """MiB that are free on the disk of its temporary files, where films are mixed."""
