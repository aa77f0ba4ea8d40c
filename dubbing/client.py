"""The client: hand in jobs, watch them, fetch what came of them.

It needs Redis and storage, and neither a task nor an engine. What a method alone needs is imported
there, so that importing the client costs a pipeline little more than Redis and Pydantic do.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dubbing.engines.catalogue import Catalogue, announce, known_specs, with_base
from dubbing.engines.engine import EngineSpec
from dubbing.errors import Conflict, NotFound, QueueUnavailable
from dubbing.job import Job, JobState, is_identifier
from dubbing.jobs.rounds import end_round, latest_round, put_to_work
from dubbing.jobs.status import Status, job_status
from dubbing.ledger import Ledger
from dubbing.queue import Publisher, make_app
from dubbing.queue.fleet import Fleet
from dubbing.settings import Settings
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.storage.parallel import each

if TYPE_CHECKING:
    from dubbing.media.samples import Audio
    from dubbing.submission.preview import Preview
    from dubbing.submission.submit import Submission, Submitter
    from dubbing.voices.library import Voices

WATCH_SECONDS = 2.0
"""How long a watcher waits for an event before it looks for itself."""


class Client:
    """Speaks to one system: a Redis and a storage."""

    def __init__(
        self,
        storage: Storage,
        ledger: Ledger,
        publisher: Publisher,
        engine: str,
        catalogue: Catalogue | None = None,
    ) -> None:
        """Take in what it speaks to.

        engine: of jobs that name none. catalogue: the engines that are installed here.
        """
        self.storage = storage
        self.ledger = ledger
        self._publisher = publisher
        self._engine = engine
        self._catalogue = catalogue or Catalogue()
        self.fleet = Fleet(ledger, publisher, self.specs)
        """The workers."""

    @cached_property
    def _submitter(self) -> Submitter:
        from dubbing.submission.submit import Submitter

        return Submitter(
            storage=self.storage,
            ledger=self.ledger,
            publisher=self._publisher,
            catalogue=self._catalogue,
            engine=self._engine,
        )

    @cached_property
    def voices(self) -> Voices:
        """The voices that were made of recordings."""
        from dubbing.voices.library import Voices

        return Voices(self.storage, self.specs)

    @classmethod
    def connect(cls, settings: Settings | None = None) -> Client:
        """Return a client of the system that the settings, or the environment, name.

        Raises QueueUnavailable when its Redis does not answer.
        """
        settings = settings or Settings()
        if not settings.redis_url and not settings.socket.exists():
            raise QueueUnavailable(
                "nothing is up for this home: start `dubbing up` in another terminal, or set "
                "DUBBING_REDIS_URL"
            )
        ledger = Ledger(settings.redis)
        ledger.ping()
        publisher = Publisher(make_app(settings.redis), ledger)
        storage = Storage.at(settings.storage, settings.s3)
        return cls(storage, ledger, publisher, settings.engine, Catalogue.of(settings))

    def submit(self, job: Job) -> Submission:
        """Hand in a job; the same request again is the same job.

        Raises BadInput that names every line to be changed, before anything is stored or queued,
        and Conflict when the id belongs to another request.
        """
        return self.submit_all([job])[0]

    def submit_all(self, jobs: Sequence[Job]) -> list[Submission]:
        """Hand in many jobs; none is stored when one of them is refused."""
        return self._submitter.submit(jobs)

    def preview(self, job: Job) -> Preview:
        """Return what `submit` would do, and do nothing. Raises as `submit` does."""
        from dubbing.submission.preview import preview

        checked = self._submitter.check(job)
        return preview(checked.intake.stored, checked.specs, checked.cautions, self.storage)

    def status(self, job_id: str) -> Status:
        """Return where a job stands; raises NotFound."""
        _check_name("job", job_id)
        return job_status(self.storage, self.ledger, job_id)

    def watch(self, job_id: str) -> Iterator[Status]:
        """Yield a job's status when it changes and every few seconds, last when it has ended."""
        last = self.ledger.last_event(job_id)
        status = self.status(job_id)
        yield status
        while not status.state.ended:
            last, _ = self.ledger.events(job_id, last, wait=WATCH_SECONDS)
            status = self.status(job_id)
            yield status

    def wait(self, job_id: str) -> Status:
        """Return a job's status once it has ended."""
        return deque(self.watch(job_id), maxlen=1).pop()

    def cancel(self, job_id: str) -> Status:
        """End a job now, unless it has ended; nothing of it is spoken from then on."""
        while not (now := self.status(job_id)).state.ended:
            # A job that was never planned is in round 0: it must not be planned now. A repair may
            # have opened a round that the ledger does not know yet.
            round_ = max(1, now.round, latest_round(self.storage, job_id))
            end = now.as_end(JobState.CANCELLED, round_)
            end_round(self.storage, self.ledger, job_id, end)
        return now

    def retry(self, job_id: str, *, engine: str = "", voice: str = "") -> Status:
        """Open another round that speaks only the lines that have no clip yet.

        engine, voice: who speaks them in place of those that the job names.
        Raises Conflict while the job is at work, or when it is completed and no line is missing.
        """
        from dubbing.jobs.revision import open_retry

        _check_name("job", job_id)
        specs = self.specs()
        other = with_base(engine, specs)
        self._catalogue.permit(other)
        self.ledger.check_writable()
        announce(self.storage, other)
        job = open_retry(self.storage, specs, job_id, engine=engine, voice=voice)
        self._publisher.fill(sorted(put_to_work(self.storage, self.ledger, job)))
        return self.status(job_id)

    def revise(self, job: Job) -> Submission:
        """Change a job that has ended, and speak only the lines that are asked otherwise.

        The output that is there stays until the changed one is complete. Raises BadInput as
        `submit` does, NotFound when there is no job of this id, Conflict while it is at work.
        """
        return self.revise_all([job])[0]

    def revise_all(self, jobs: Sequence[Job]) -> list[Submission]:
        """Change many jobs; none is changed when one of them is refused for what it asks."""
        return self._submitter.revise(jobs)

    def fetch(self, job_id: str, folder: Path) -> list[Path]:
        """Write a job's outputs and report into ``folder``; return their paths.

        Raises Conflict while there is nothing to fetch.
        """
        from dubbing.jobs.fetch import fetch_output

        status = self.status(job_id)
        if status.output is None:
            raise Conflict(
                f"job {job_id!r} is {status.state.value}: it has no output to fetch, but perhaps "
                "lines, with --partial"
            )
        return fetch_output(self.storage, status.output, folder)

    def fetch_partial(self, job_id: str, folder: Path) -> list[Path]:
        """Write what there is of a job's newest round into ``folder``; return the paths.

        That is each line's clip as ``lines/<id>.flac``, and a report of every line.
        """
        from dubbing.jobs.fetch import fetch_lines

        status = self.status(job_id)
        return fetch_lines(self.storage, job_id, status.round, status.state, folder)

    def jobs(self) -> list[Status]:
        """Return every job that storage knows, by id."""
        found = self.storage.folders(Keys.JOBS)
        return self._statuses([id_ for id_ in found if self.storage.exists(Keys.job(id_))])

    def batch(self, name: str) -> list[Status]:
        """Return the jobs of a named batch; raises NotFound when there are none."""
        _check_name("batch", name)
        prefix = Keys.batch_name(name)
        marked = sorted(key.removeprefix(prefix) for key in self.storage.keys(prefix))
        found = [id_ for id_ in marked if self.storage.exists(Keys.job(id_))]
        if not found:
            raise NotFound(f"there is no batch {name!r}")
        return self._statuses(found)

    def say(self, text: str, *, language: str, engine: str = "", voice: str = "") -> Audio:
        """Speak one line ahead of all batches and return it.

        Raises BadInput, the worker's error, or Transient when no worker answers in time.
        """
        from dubbing.planning.casting import cast_lines
        from dubbing.queue.say import one_line, say

        one = one_line(text, language=language, engine=engine or self._engine, voice=voice)
        checked = self._submitter.check(one)
        job = checked.intake.job
        (cast,) = cast_lines(job, job.segments, checked.specs)
        return say(self.storage, self.ledger, self._publisher, cast, job.language)

    def specs(self) -> dict[str, EngineSpec]:
        """Return the engines that jobs can name."""
        return known_specs(self.storage, self._catalogue)

    def _statuses(self, ids: Sequence[str]) -> list[Status]:
        workers = cache(self.ledger.workers)
        return each(lambda id_: job_status(self.storage, self.ledger, id_, workers), ids)


def _check_name(what: str, name: str) -> None:
    """Raise NotFound for what cannot be a name, before a path is made of it."""
    if not is_identifier(name):
        raise NotFound(f"there is no {what} {name!r}")


def by_state(statuses: Sequence[Status]) -> dict[str, int]:
    """Return how many jobs are in each state."""
    return dict(Counter(status.state.value for status in statuses))
