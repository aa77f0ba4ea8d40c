"""Submitting jobs: all jobs are checked before any is stored and started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from dubbing.assembly.demucs import NONE, Separator
from dubbing.documents import together
from dubbing.engines.catalogue import Catalogue, specs_in
from dubbing.engines.engine import EngineSpec
from dubbing.engines.published import announce, known_specs, published_specs
from dubbing.errors import BadInput, Conflict, NotFound
from dubbing.job import Job
from dubbing.job.caution import Caution
from dubbing.jobs.installation import Installation
from dubbing.jobs.revision import Charge, open_revision
from dubbing.jobs.rounds import create_first_round, start
from dubbing.jobs.store import load_job
from dubbing.ledger import Ledger
from dubbing.planning.casting import cast_lines
from dubbing.planning.check import check
from dubbing.planning.density import dense
from dubbing.planning.pace import Paces
from dubbing.planning.plan import CastLine
from dubbing.queue import Publisher
from dubbing.script.manifest import Manifest, normalised
from dubbing.storage import Storage
from dubbing.storage.holds import held, shared_by
from dubbing.storage.keys import Keys
from dubbing.storage.parallel import AT_ONCE, each, in_order
from dubbing.storage.target import Target
from dubbing.submission.intake import Intake, Specs
from dubbing.submission.sources import Sources
from dubbing.text.wording import Wording


@dataclass(frozen=True, kw_only=True)
class Submission:
    """The result of submitting one job."""

    id: str
    created: bool
    """False when the same request was submitted before."""
    file: str
    """The file that the job was read from; empty when there is none."""
    cautions: tuple[Caution, ...]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A checked job, ready to be stored."""

    intake: Intake
    wording: Wording
    """Its lines in words."""
    film_seconds: float | None
    """Length of its media; None without any, or for media on ``s3://``."""
    cautions: Sequence[Caution]
    specs: Mapping[str, EngineSpec]
    """The specs of the engines that it was checked against."""
    needed: Sequence[EngineSpec]
    """The specs of the engines that it names."""

    def cast(self) -> list[CastLine]:
        """Return its lines, each with its engine and voice."""
        job = self.intake.stored
        return cast_lines(job, job.segments, self.specs, wording=self.wording)

    def with_dense_lines(self, paces: Paces) -> Checked:
        """Return the job with a caution for each line whose text is too long."""
        found = dense(self.intake.stored, self.cast(), self.specs, paces.of, self.film_seconds)
        return replace(self, cautions=[*self.cautions, *self.intake.named(found)])


@dataclass(frozen=True, kw_only=True)
class Checker:
    """Checks whether jobs can be dubbed; reads storage, and writes nothing."""

    storage: Storage
    catalogue: Catalogue
    engine: str
    """The engine for jobs that name none."""
    separator: Separator = NONE
    """The separator of this machine, for when no worker has published one."""

    def check(self, manifest: Manifest, specs: Mapping[str, EngineSpec] | None = None) -> Checked:
        """Return the checked job; raises a BadInput that names every segment to change.

        specs: the specs of all engines; by default, they are read from storage.
        """
        known = known_specs(self.storage, self.catalogue) if specs is None else specs
        return self._check(manifest, known, Sources(self.storage))

    def check_all(self, manifests: Sequence[Manifest]) -> list[Checked]:
        """Return the checked jobs; raises one BadInput that names every job with a fault."""
        checked, faults = self._sorted_out(manifests)
        if faults:
            raise together(faults)
        paces = Paces(self.storage)
        return [one.with_dense_lines(paces) for one in checked]

    def faults(self, manifests: Sequence[Manifest]) -> list[BadInput]:
        """Return one error for each job that cannot be dubbed."""
        return self._sorted_out(manifests)[1]

    def _sorted_out(self, manifests: Sequence[Manifest]) -> tuple[list[Checked], list[BadInput]]:
        specs, sources = known_specs(self.storage, self.catalogue), Sources(self.storage)
        checked: list[Checked] = []
        faults: list[BadInput] = []
        for manifest in manifests:
            try:
                checked.append(self._check(manifest, specs, sources))
            except BadInput as exc:
                faults.append(BadInput(str(exc), where=manifest.source or None))
        return checked, faults

    def _check(
        self, manifest: Manifest, specs: Mapping[str, EngineSpec], sources: Sources
    ) -> Checked:
        engine = manifest.engine or self.engine
        manifest = normalised(manifest.model_copy(update={"engine": engine}))
        needed = specs_in(manifest, specs)
        self.catalogue.permit(needed)
        if manifest.background.mode == "separate":
            self._require_separation()
        intake = Intake(sources, manifest, specs)
        seconds = intake.inspect()
        wording = Wording(manifest.language, manifest.pronunciations)
        found = check(
            intake.manifest,
            specs,
            film_seconds=seconds,
            voices=intake.stored_voices,
            wording=wording,
        )
        return Checked(
            intake=intake,
            wording=wording,
            film_seconds=seconds,
            cautions=intake.named([*manifest.cautions, *found, *intake.look(), *intake.listen()]),
            specs=specs,
            needed=needed,
        )

    def _require_separation(self) -> None:
        """Raise BadInput unless this machine or a worker can remove the speech from a film."""
        lacking = self.separator.missing()
        if lacking and not self.storage.exists(Keys.SEPARATION):
            raise BadInput(
                "background 'separate': no assembly worker can take the speech out of a film, nor "
                f"can this machine: {lacking} where assembly runs, and start its worker again"
            )


def _uploaded(checked: Iterable[Checked]) -> Iterator[Checked]:
    """Yield each job once its files are stored; each file is sent in several parts at once."""
    for one in checked:
        one.intake.upload()
        yield one


@dataclass(frozen=True, kw_only=True)
class Submitter:
    """Stores and starts checked jobs of one system."""

    checker: Checker
    ledger: Ledger
    publisher: Publisher
    installation: Installation

    @property
    def storage(self) -> Storage:
        """Where jobs are stored."""
        return self.checker.storage

    def submit(
        self, manifests: Sequence[Manifest], admit: Callable[[Job], None] = lambda _: None
    ) -> list[Submission]:
        """Submit jobs; raises as `Client.submit_all` does. admit: as in `Client.submit`."""
        if twice := [id_ for id_, n in Counter(j.id for j in manifests if j.id).items() if n > 1]:
            raise BadInput(f"several jobs have the id {twice[0]!r}: give each its own id")
        checked = self.checker.check_all(manifests)
        jobs = [one.intake.stored for one in checked]
        each(self._check_conflict, jobs)
        for job in jobs:
            admit(job)
        return self._put_in(checked, lambda _, job: self._store(job))

    def revise(
        self, manifests: Sequence[Manifest], charge: Charge = lambda _: None
    ) -> list[Submission]:
        """Change jobs that have ended; raises as `Client.revise_all` does.

        charge: as in `Client.revise`.
        """
        if nameless := [manifest for manifest in manifests if manifest.id is None]:
            raise BadInput(f"name the jobs to revise: {len(nameless)} of them have no id")
        checked = self.checker.check_all(manifests)
        each(lambda id_: load_job(self.storage, id_, 1), [one.intake.stored.id for one in checked])
        return self._put_in(checked, partial(open_revision, self.storage, charge=charge))

    def _check_conflict(self, job: Job) -> None:
        """Raise Conflict when the id belongs to another request."""
        try:
            first = load_job(self.storage, job.id, 1)
        except NotFound:
            return
        asked = job.digest()
        if asked not in {first.digest(), load_job(self.storage, job.id).digest()}:
            raise Conflict(
                f"the id {job.id!r} belongs to another request: choose another id, leave the "
                "id out, or change that job with `dubbing submit --revise`"
            )

    def _put_in(
        self, checked: Sequence[Checked], write: Callable[[Specs, Job], bool]
    ) -> list[Submission]:
        """Store and start jobs, several at once; return them in order.

        write: stores a job's request; returns whether it is new. After an error, jobs that were
        begun are started, and no further ones are begun.
        """
        # Fail before anything is stored that could not be started or delivered.
        words = self.installation.prepare()
        places = {place for one in checked if (place := one.intake.stored.output.to)}
        each(lambda place: Target(self.storage, place).try_out(), sorted(places))
        found = [Caution(code="eviction", segment=None, message=words)] if words else []
        needed = {spec.name: spec for one in checked for spec in one.needed}
        announce(self.storage, needed.values())
        specs = published_specs(self.storage)

        def put_in(one: Checked) -> Submission:
            job = one.intake.stored
            created = write(specs, job)
            plan = partial(create_first_round, specs=specs, wording=one.wording)
            start(self.storage, self.ledger, self.publisher, job, plan)
            return Submission(
                id=job.id,
                created=created,
                file=one.intake.manifest.source,
                cautions=(*one.cautions, *found),
            )

        return list(in_order(put_in, _uploaded(checked), at_once=AT_ONCE))

    def _store(self, job: Job) -> bool:
        """Store a job; return whether it is new. Raises Conflict if its id was taken meanwhile."""
        with held(self.storage, shared_by(job), job.id):
            if job.collection:
                self.storage.create(Keys.collection(job.collection, job.id), b"")
            self.storage.create(Keys.open(job.id), b"")
            created = self.storage.create(Keys.job(job.id), job.as_stored())
        if not created:
            self._check_conflict(job)
        return created
