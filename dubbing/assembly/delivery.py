"""The places of the results of one run of assembly: storage, and the job's ``output.to``.

A delivered file replaces an earlier file of its name, so the next run completes a run that was
killed. The report comes last in both places.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dubbing.assembly.page import page_of
from dubbing.assembly.report import PAGE, REPORT, Report, ReportOutput
from dubbing.job import Job
from dubbing.job.output import saved_as
from dubbing.storage import Storage
from dubbing.storage.target import Target


class Delivery:
    """The places of one run's results. Safe to use from several threads."""

    def __init__(
        self, job: Job, storage: Storage, prefix: str, check: Callable[[], None] = lambda: None
    ) -> None:
        """Keep the places; raises BadInput when results may not go to ``output.to``.

        prefix: storage prefix of the results. check: called before a file is delivered; raises to
        stop the work.
        """
        self._storage = storage
        self._prefix = prefix
        self._check = check
        self._name = job.output.name or ""
        self._target = Target(storage, job.output.to) if job.output.to else None

    def entry(self, name: str, path: Path) -> ReportOutput:
        """Return the report's entry of a file that will be sent."""
        return ReportOutput(
            name=name,
            key=self._prefix + name,
            bytes=path.stat().st_size,
            delivered_to=self._target and self._target.url(self._saved_as(name)),
        )

    def send(self, name: str, path: Path) -> None:
        """Store and deliver a file; raises BadInput when ``output.to`` refuses it."""
        self._storage.upload(self._prefix + name, path)
        if self._target:
            self._check()
            self._target.upload(self._saved_as(name), path)

    def complete(self, report: Report) -> None:
        """Store and deliver the report, as a page and then as data; raises as `send` does."""
        self._write(PAGE, page_of(report, self._storage))
        self._write(REPORT, report.model_dump_json(indent=1).encode())

    def _write(self, name: str, content: bytes) -> None:
        self._storage.create(self._prefix + name, content)
        if self._target:
            self._check()
            self._target.write(self._saved_as(name), content)

    def _saved_as(self, name: str) -> str:
        return saved_as(self._name, name)
