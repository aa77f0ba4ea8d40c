"""The client: submit jobs, watch them, fetch their outputs.

Every method needs storage, most need Redis, none needs a task or an engine. Modules that only one
method needs are imported inside it, so importing the client costs a pipeline little more than
importing Redis and Pydantic.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dubbing.documents import is_identifier
from dubbing.engines.catalogue import specs_in, with_base
from dubbing.engines.engine import EngineSpec
from dubbing.engines.published import announce, known_specs, published
from dubbing.errors import BadInput, Conflict, NotFound, QueueUnavailable
from dubbing.job import DEFAULT_TENANT, Job, JobState
from dubbing.jobs.cancel import cancel
from dubbing.jobs.installation import Installation
from dubbing.jobs.rounds import start
from dubbing.jobs.status import (
    Status,
    collection_statuses,
    job_status,
    list_statuses,
    status_if_readable,
)
from dubbing.jobs.store import load_job, load_jobs
from dubbing.ledger import Ledger
from dubbing.queue import Publisher
from dubbing.queue.fleet import Fleet
from dubbing.settings import Settings
from dubbing.storage import Storage
from dubbing.system import System

if TYPE_CHECKING:
    from dubbing.engines.remote.registry import Registry
    from dubbing.job.caution import Caution
    from dubbing.jobs.history import Event
    from dubbing.jobs.revision import Charge
    from dubbing.queue.say import Said
    from dubbing.script.manifest import Manifest
    from dubbing.submission.preview import Preview
    from dubbing.submission.submit import Checker, Submission, Submitter
    from dubbing.voices.library import Voices

WATCH_SECONDS = 2.0
"""How long a watcher waits for an event before it reads the status without one."""


class Client:
    """Access to one system: a Redis and a storage."""

    def __init__(self, system: System) -> None:
        """Keep the system; nothing is connected yet."""
        self._system = system

    @classmethod
    def connect(cls, settings: Settings | None = None) -> Client:
        """Return a client of the system that the settings, or else the environment, name.

        The first method that needs Redis connects to it, and raises QueueUnavailable if Redis does
        not answer. `preview` and `voices` need no Redis.
        """
        return cls(System(settings or Settings()))

    def greet(self) -> None:
        """Meet storage and Redis, within seconds; raises as `storage` and `ledger` do.

        Raises WrongInstallation when they do not belong together.
        """
        self._installation.enter()

    @cached_property
    def storage(self) -> Storage:
        """Object storage; raises StorageUnavailable, or StorageRefused that says what to check."""
        self._system.storage.greet()
        return self._system.storage

    @cached_property
    def ledger(self) -> Ledger:
        """State in Redis; raises QueueUnavailable, or QueueRefused that says what to check."""
        self._system.ledger.greet()
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
        """The servers of engines that speak elsewhere."""
        return self._system.registry

    @cached_property
    def _installation(self) -> Installation:
        """Storage and Redis, greeted; they have to belong together before anything is written."""
        self._both  # noqa: B018 - an error of either says what to check
        return self._system.installation

    @cached_property
    def _both(self) -> tuple[Storage, Ledger]:
        """Storage and ledger, greeted at the same time, as they may be far away."""
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

    @cached_property
    def _checker(self) -> Checker:
        from dubbing.submission.submit import Checker

        return Checker(
            storage=self.storage,
            catalogue=self._system.catalogue,
            engine=self._system.settings.engine,
            separator=self._system.separator,
        )

    @cached_property
    def _submitter(self) -> Submitter:
        from dubbing.submission.submit import Submitter

        return Submitter(
            checker=self._checker,
            ledger=self.ledger,
            publisher=self.publisher,
            installation=self._installation,
        )

    def submit(
        self, manifest: Manifest, *, admit: Callable[[Job], None] = lambda _: None
    ) -> Submission:
        """Submit a job; submitting the same request again returns the same job.

        admit: called with the job when it is checked; what it raises keeps it from being stored.
        Raises BadInput that names every segment to change, before anything is stored or queued,
        and Conflict when the id belongs to another request.
        """
        return self._submitter.submit([manifest], admit)[0]

    def submit_all(self, manifests: Sequence[Manifest]) -> list[Submission]:
        """Submit many jobs; if one of them is refused, none is stored."""
        return self._submitter.submit(manifests)

    def preview(self, manifest: Manifest) -> Preview:
        """Return what `submit` would do, without doing it. Raises BadInput as `submit` does."""
        return self.preview_all([manifest])[0]

    def preview_all(self, manifests: Sequence[Manifest]) -> list[Preview]:
        """Return what `submit_all` would do for each job, without doing it.

        Needs no Redis, but gives no estimate of time and cost without it.
        """
        from dubbing.submission.preview import previews

        checked, engines = self._checker.check_all(manifests), published(self.storage)
        return previews(checked, self.storage, engines, self._ledger_at_hand())

    def lint(self, manifests: Sequence[Manifest]) -> list[Caution]:
        """Return what may not come out as meant in jobs; raises BadInput as `submit_all` does.

        Needs no Redis.
        """
        return [caution for one in self._checker.check_all(manifests) for caution in one.cautions]

    def faults(self, manifests: Sequence[Manifest]) -> list[BadInput]:
        """Return one error for each job that would be refused. Needs no Redis."""
        return self._checker.faults(manifests)

    def status(self, job_id: str, *, readable: bool = True) -> Status:
        """Return the status of a job; raises NotFound.

        readable: whether a job that cannot be read raises Damaged or NewerRelease; it is
        returned as unreadable otherwise.
        """
        _check_name(job_id)
        look = job_status if readable else status_if_readable
        return look(*self._both, job_id)

    def history(self, job_id: str) -> list[Event]:
        """Return what has happened to a job, in order; raises NotFound. Needs no Redis."""
        from dubbing.jobs.history import history

        _check_name(job_id)
        return history(self.storage, job_id)

    def why(self, job_id: str, *, remedy: str = "") -> tuple[Status, list[str]]:
        """Return the status of a job, and in words why it stands so; raises NotFound.

        remedy: what to do when a worker is missing, with ``{}`` for what it is started with.
        """
        from dubbing.jobs.reasons import reasons

        status = self.status(job_id, readable=False)
        return status, [*reasons(self.storage, self.ledger, status, remedy=remedy)]

    def watch(self, job_id: str) -> Iterator[Status]:
        """Yield a job's status at each change and every few seconds, until the job has ended."""
        last = self.ledger.last_event(job_id)
        yield (status := self.status(job_id))
        while not status.state.ended:
            last, _ = self.ledger.events(job_id, last, wait=WATCH_SECONDS)
            yield (status := self.status(job_id))

    def wait(self, job_id: str) -> Status:
        """Wait until a job has ended and return its status."""
        return deque(self.watch(job_id), maxlen=1).pop()

    def cancel(self, job_id: str) -> Status:
        """Cancel a job now, unless it has ended; no more of its lines are spoken.

        A job that cannot be read is cancelled too.
        """
        _check_name(job_id)
        self._installation.enter()
        return cancel(self.storage, self.ledger, job_id)

    def ended(
        self,
        *,
        states: Collection[JobState] = (),
        collection: str | None = None,
        tenant: str | None = None,
        before: float | None = None,
    ) -> list[str]:
        """Return the ids of the jobs that have ended, and that fit all that is asked.

        states: in one of these states; by default, in any. collection, tenant: of these. before:
        that ended before this time, in seconds since 1970. Raises NotFound for a collection
        without jobs.
        """
        from dubbing.jobs.removal import ended

        return ended(
            *self._both, states=states, collection=collection, tenant=tenant, before=before
        )

    def delete(self, job_id: str) -> None:
        """Remove a job that has ended, for good, with its outputs; clips and media stay.

        Raises NotFound, and Conflict while the job is at work. A removal that broke off is gone on
        with by another call.
        """
        from dubbing.jobs.removal import remove

        _check_name(job_id)
        self._installation.enter()
        remove(self.storage, self.ledger, job_id)

    def retry(
        self,
        job_id: str,
        *,
        engine: str = "",
        voice: str = "",
        charge: Charge = lambda _: None,
    ) -> Status:
        """Open another round that speaks only the lines that have no clip yet.

        engine, voice: speak these lines in place of those that the job names.
        charge: called with the number of lines that will be spoken, when all is checked; what it
            raises keeps the round from being opened.
        Raises Conflict while the job is at work, or when it is completed and no line is missing.
        """
        from dubbing.jobs.revision import open_retry

        _check_name(job_id)
        specs = self.specs()
        other = with_base(engine, specs)
        self._prepare(other)
        job = open_retry(self.storage, specs, job_id, engine=engine, voice=voice, charge=charge)
        start(self.storage, self.ledger, self.publisher, job)
        return self.status(job_id)

    def mend(
        self,
        job_id: str,
        line: str,
        change: Mapping[str, Any],
        *,
        charge: Charge = lambda _: None,
    ) -> Status:
        """Change one line of a job that has ended, and speak it anew.

        change: as in `mended`. charge: as in `retry`. Raises NotFound for an unknown job or line,
        BadInput for a line that could not be spoken, and Conflict while the job is at work.
        """
        from dubbing.jobs.mending import mended
        from dubbing.jobs.revision import open_revision

        _check_name(job_id)
        specs = self.specs()
        job = mended(self.storage, specs, load_job(self.storage, job_id), line, change)
        self._prepare(specs_in(job, specs))
        open_revision(self.storage, specs, job, charge=charge)
        start(self.storage, self.ledger, self.publisher, job)
        return self.status(job_id)

    def revise(self, manifest: Manifest, *, charge: Charge = lambda _: None) -> Submission:
        """Change a job that has ended, and speak only the lines that the change affects.

        The old output stays until the new one is complete. charge: as in `retry`. Raises BadInput
        as `submit` does, NotFound when there is no job with this id, and Conflict while the job is
        at work.
        """
        return self._submitter.revise([manifest], charge)[0]

    def revise_all(self, manifests: Sequence[Manifest]) -> list[Submission]:
        """Change many jobs; if one request is refused as BadInput, no job is changed."""
        return self._submitter.revise(manifests)

    def fetch(
        self, job_id: str, folder: Path, *, name: str | None = None, replace: bool = False
    ) -> list[Path]:
        """Write a job's outputs and report into ``folder``; return their paths.

        name: beginning of the files' names; by default, the job's ``output.name``.
        replace: whether files of the same names that were fetched for another job give way.
        Raises Conflict while there is nothing to fetch, and for a file in the way that no earlier
        fetch of the job wrote; then nothing is written.
        """
        from dubbing.jobs.fetch import fetch_output

        status = self.status(job_id)
        if status.output is None:
            raise Conflict(
                f"job {job_id!r} is {status.state.value}: it has no output to fetch, but perhaps "
                "lines, with --partial"
            )
        named = self._name(job_id, name)
        return fetch_output(self.storage, status.output, folder, named, replace=replace)

    def fetch_partial(self, job_id: str, folder: Path, *, name: str | None = None) -> list[Path]:
        """Write the clips of a job's newest round into ``folder``; return the paths.

        Each clip becomes ``lines/<id>.flac``; a report covers every line. Raises Conflict for a
        file in the way that no earlier fetch of the job wrote.
        name: as in `fetch`.
        """
        from dubbing.jobs.fetch import fetch_lines

        status = self.status(job_id)
        return fetch_lines(self.storage, status, folder, self._name(job_id, name))

    def jobs(
        self,
        *,
        states: Collection[JobState] = (),
        since: float = 0.0,
        limit: int | None = None,
    ) -> list[Status]:
        """Return the stored jobs, the last submitted first.

        states: only jobs in these states; by default, in any. since: only jobs submitted after
        this time, in seconds since 1970. limit: the most jobs to return; by default, all.
        """
        return list_statuses(*self._both, states=states, since=since, limit=limit)

    def collection(self, name: str) -> list[Status]:
        """Return the jobs of a collection, by id; raises NotFound when there are none."""
        return collection_statuses(*self._both, name)

    def file_names(self, job_ids: Sequence[str]) -> dict[str, str]:
        """Return, for each job, a beginning of its files' names that no other job shares."""
        from dubbing.jobs.fetch import distinct

        return {id_: id_ for id_ in job_ids} | distinct(load_jobs(self.storage, job_ids))

    def say(
        self,
        text: str,
        *,
        language: str,
        engine: str = "",
        voice: str = "",
        speed: float = 1.0,
        pitch: float = 0.0,
        tenant: str = DEFAULT_TENANT,
        charge: Charge = lambda _: None,
        specs: Mapping[str, EngineSpec] | None = None,
    ) -> Said:
        """Speak a text ahead of all batches and return its sound.

        A text that is too long for the engine is spoken sentence by sentence.
        speed, pitch: as in a role of a cast; pitch in semitones. tenant: whose stored voices are
        meant. charge: called with the number of lines, when all is checked; what it raises keeps
        them from being spoken. specs: those of `specs`, from a caller that keeps them for a moment.
        Raises BadInput, the worker's error, or Transient when no worker answers in time.
        """
        from dubbing.engines.conversion import spec_of
        from dubbing.planning.casting import cast_lines
        from dubbing.queue.say import say, together
        from dubbing.submission.lines import in_lines

        specs, engine = specs or self.specs(), engine or self._system.settings.engine
        manifest = in_lines(
            text,
            language=language,
            engine=engine,
            limit=spec_of(engine, specs).limit(language),
            role={"voice": voice or None, "speed": speed, "pitch": pitch},
            tenant=tenant,
        )
        job = self._checker.check(manifest, specs).intake.stored
        cast = cast_lines(job, job.segments, specs)
        self._installation.prepare()
        charge(len(cast))
        parts = self.storage, self.ledger, self.publisher
        return together([say(*parts, job, one) for one in cast])

    def specs(self) -> dict[str, EngineSpec]:
        """Return the specs of the engines that jobs can name."""
        return known_specs(self.storage, self._system.catalogue)

    def _prepare(self, specs: Collection[EngineSpec]) -> None:
        """Make ready for a round of engines; raises BadInput for a licence that is refused here."""
        self._system.catalogue.permit(specs)
        self._installation.prepare()
        announce(self.storage, specs)

    def _name(self, job_id: str, name: str | None) -> str:
        return (load_job(self.storage, job_id).output.name or "") if name is None else name


def _check_name(job_id: str) -> None:
    """Raise NotFound for a string that cannot be an id, before it becomes part of a path."""
    if not is_identifier(job_id):
        raise NotFound(f"there is no job {job_id!r}")


def by_state(statuses: Sequence[Status]) -> dict[str, int]:
    """Return the number of jobs in each state."""
    return dict(Counter(status.state.value for status in statuses))
