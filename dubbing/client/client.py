"""The client: a reader that also submits jobs, changes and removes them.

Every method needs storage, most need Redis, none needs a task or an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dubbing.client.reader import Reader, check_name
from dubbing.engines.catalogue import specs_in, with_base
from dubbing.engines.engine import EngineSpec
from dubbing.engines.published import announce, published
from dubbing.errors import BadInput
from dubbing.job import DEFAULT_TENANT, Job
from dubbing.jobs.cancel import cancel
from dubbing.jobs.rounds import start
from dubbing.jobs.status import Status
from dubbing.jobs.store import load_job

if TYPE_CHECKING:
    from dubbing.job.caution import Caution
    from dubbing.jobs.revision import Charge
    from dubbing.queue.say import Said
    from dubbing.script.manifest import Manifest
    from dubbing.submission.preview import Preview
    from dubbing.submission.submit import Checker, Submission, Submitter


class Client(Reader):
    """Access to one system: a Redis and a storage."""

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

        admit: called with the checked job; its exception prevents the storing. Raises BadInput that
        names every segment to change, before anything is stored or queued, and Conflict when the id
        belongs to another request.
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
        """Return the cautions about jobs; raises BadInput as `submit_all` does.

        Needs no Redis.
        """
        return [caution for one in self._checker.check_all(manifests) for caution in one.cautions]

    def faults(self, manifests: Sequence[Manifest]) -> list[BadInput]:
        """Return one error for each job that would be refused. Needs no Redis."""
        return self._checker.faults(manifests)

    def cancel(self, job_id: str) -> Status:
        """Cancel a job now, unless it has ended; no more of its lines are spoken.

        An unreadable job is cancelled, too.
        """
        check_name(job_id)
        self._installation.enter()
        return cancel(self.storage, self.ledger, job_id)

    def delete(self, job_id: str) -> None:
        """Remove a job that has ended, for good, with its outputs; clips and media stay.

        Raises NotFound, and Conflict while the job is at work. Another call continues an
        interrupted removal.
        """
        from dubbing.jobs.removal import remove

        check_name(job_id)
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

        engine, voice: used for these lines in place of the job's own.
        charge: called with the number of lines to speak, after all checks; its exception prevents
            the round.
        Raises Conflict while the job is at work, or when it is completed and no line is missing.
        """
        from dubbing.jobs.revision import open_retry

        check_name(job_id)
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
        """Change one line of a job that has ended, and speak it again.

        change: as in `mended`. charge: as in `retry`. Raises NotFound for an unknown job or line,
        BadInput for a line that could not be spoken, and Conflict while the job is at work.
        """
        from dubbing.jobs.mending import mended
        from dubbing.jobs.revision import open_revision

        check_name(job_id)
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
        speed, pitch: as in a role of a cast; pitch in semitones. tenant: tenant of the stored
        voices. charge: called with the number of lines, after all checks; its exception prevents
        the speech. specs: result of `specs`, from a caller that caches it. Raises BadInput, the
        worker's error, or Transient when no worker answers in time.
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

    def _prepare(self, specs: Collection[EngineSpec]) -> None:
        """Prepare a round of engines; raises BadInput for a licence that is refused here."""
        self._system.catalogue.permit(specs)
        self._installation.prepare()
        announce(self.storage, specs)
