"""Taking jobs in: all of them are checked before any is stored, then stored and put to work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dubbing.engines.catalogue import Catalogue, known_specs, specs_in
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput, Conflict, NotFound
from dubbing.job import Job
from dubbing.job.caution import Caution
from dubbing.jobs.revision import open_revision
from dubbing.jobs.rounds import load_job, put_to_work
from dubbing.ledger import Ledger
from dubbing.planning.check import check
from dubbing.queue import Publisher
from dubbing.script.manifest import normalised
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.submission.intake import Intake


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What became of a submission."""

    id: str
    created: bool
    """False when the same request was there already."""
    cautions: tuple[Caution, ...]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A job that can be stored."""

    intake: Intake
    cautions: Sequence[Caution]
    specs: dict[str, EngineSpec]
    """The engines that it was checked against."""


@dataclass(frozen=True, kw_only=True)
class Submitter:
    """Takes jobs in for one system."""

    storage: Storage
    ledger: Ledger
    publisher: Publisher
    catalogue: Catalogue
    engine: str
    """Of jobs that name none."""

    def check(self, job: Job) -> Checked:
        """Return a job that can be stored; raises BadInput that names every line to be changed."""
        job = normalised(job.model_copy(update={"engine": job.engine or self.engine}))
        specs = known_specs(self.storage, self.catalogue)
        self.catalogue.permit(specs_in(job, specs))
        intake = Intake(self.storage, job, specs)
        seconds = intake.inspect()
        found = check(intake.job, specs, film_seconds=seconds, voices=intake.stored_voices)
        return Checked(
            intake=intake, cautions=[*job.cautions, *found, *intake.listen()], specs=specs
        )

    def submit(self, jobs: Sequence[Job]) -> list[Submission]:
        """Hand in jobs; raises as `Client.submit_all`."""
        if twice := [id_ for id_, n in Counter(j.id for j in jobs if j.id).items() if n > 1]:
            raise BadInput(f"several jobs have the id {twice[0]!r}: give each its own")
        checked = [self.check(job) for job in jobs]
        for one in checked:
            self._check_conflict(one.intake.stored)
        # Rather refused whole than stored and not put to work.
        self.ledger.check_writable()
        return [self._store(one) for one in checked]

    def revise(self, jobs: Sequence[Job]) -> list[Submission]:
        """Change jobs that have ended; raises as `Client.revise_all`."""
        if nameless := [job for job in jobs if job.id is None]:
            raise BadInput(f"say which jobs are revised: {len(nameless)} of them have no id")
        checked = [self.check(job) for job in jobs]
        for one in checked:
            load_job(self.storage, one.intake.stored.name, 1)
        return [self._revise(one) for one in checked]

    def _check_conflict(self, job: Job) -> None:
        """Raise Conflict when the id belongs to another request."""
        try:
            other = load_job(self.storage, job.name)
        except NotFound:
            return
        first = load_job(self.storage, job.name, 1)
        if job.digest() not in {first.digest(), other.digest()}:
            raise Conflict(
                f"the id {job.name!r} belongs to another request: choose another id, leave the "
                "id out, or change that job with `dubbing submit --revise`"
            )

    def _store(self, checked: Checked) -> Submission:
        checked.intake.upload()
        job = checked.intake.stored
        if job.batch_name:
            self.storage.create(Keys.batch_name(job.batch_name, job.name), b"")
        self.storage.create(Keys.open(job.name), b"")
        created = self.storage.create(Keys.job(job.name), job.model_dump_json().encode())
        if not created:
            # Somebody else may have taken the id since it was looked at.
            self._check_conflict(job)
        return self._put_to_work(checked, created)

    def _revise(self, checked: Checked) -> Submission:
        self.ledger.check_writable()
        checked.intake.upload()
        changed = open_revision(self.storage, checked.specs, checked.intake.stored)
        return self._put_to_work(checked, changed)

    def _put_to_work(self, checked: Checked, created: bool) -> Submission:
        job = checked.intake.stored
        self.publisher.fill(sorted(put_to_work(self.storage, self.ledger, job)))
        return Submission(id=job.name, created=created, cautions=tuple(checked.cautions))
