"""Stored voices by name: extract, list, show, rename and delete them.

Names belong to a tenant. A name points to a voice's digest. Stored jobs hold the digest, so
renaming or deleting a name does not change what was dubbed.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import langcodes

from dubbing.documents import Model
from dubbing.engines.conversion import spec_of
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput, Conflict, Damaged, NewerRelease, NotFound
from dubbing.job import DEFAULT_TENANT
from dubbing.storage import Storage
from dubbing.storage.holds import Shared, held, holders, marked_for_deletion
from dubbing.storage.keys import Keys
from dubbing.storage.parallel import each
from dubbing.voices.names import check_new_name, find, names, pointer, tenants
from dubbing.voices.reference import doubts_of, record
from dubbing.voices.store import load_voice, store_voice
from dubbing.voices.voice import Digest, Voice

log = logging.getLogger(__name__)

Specs = Mapping[str, EngineSpec]


class NamedVoice(Model):
    """A voice and its name."""

    name: str
    voice: Voice
    doubts: tuple[str, ...] = ()
    """Reasons why a clone may not sound as intended."""


class VoiceDetails(Model):
    """Everything that is known about a voice."""

    names: tuple[str, ...]
    """Names; those of other tenants as ``<tenant>/<name>``."""
    voice: Voice
    doubts: tuple[str, ...]
    """Reasons why a clone may not sound as intended."""
    forms: tuple[str, ...]
    """Forms that engines derived from it, as ``<engine>-<recipe>-<model>``."""
    jobs: tuple[str, ...]
    """Jobs that use it, as they were submitted, revised or retried."""
    fits: tuple[str, ...]
    """Engines that can clone it."""
    unfit: dict[str, str]
    """Engines that clone voices but not this one, each with its requirement."""


class Deletion(Model):
    """The result of deleting a voice's name."""

    digest: Digest
    names: tuple[str, ...]
    """Its other names; those of other tenants as ``<tenant>/<name>``."""
    jobs: tuple[str, ...]
    """Jobs that use it, or that are being submitted with it."""
    forms: tuple[str, ...]
    """Forms that were removed, as ``<engine>-<recipe>-<model>``."""
    kept: bool
    """Whether the recording was kept, for the other names and the jobs."""


class Voices:
    """The stored voices of one tenant."""

    def __init__(
        self, storage: Storage, specs: Callable[[], Specs], tenant: str = DEFAULT_TENANT
    ) -> None:
        self._storage = storage
        self._specs = specs
        self._tenant = tenant

    def extract(
        self,
        name: str,
        references: Sequence[Path],
        *,
        transcript: str = "",
        language: str = "",
        consent: str = "",
        engines: Sequence[str] = (),
    ) -> NamedVoice:
        """Make a voice from recordings of one speaker and store it under a name.

        references: sound files or films, each of at most 50 MB, joined in the given order.
        transcript, language: their text, and its language as a BCP 47 tag. consent: a note on the
        speaker's consent to the cloning and its use.
        engines: engines that must be able to clone the voice. Without any, one doubt lists the
            requirements of engines that cannot.

        Raises BadInput with the fault of a recording and the remedy, and Conflict when the name
        belongs to another voice.
        """
        check_new_name(name)
        if language and not langcodes.tag_is_valid(language):
            raise BadInput(f"language {language!r} is not a BCP 47 tag, such as de or pt-BR")
        if not references:
            raise BadInput("name at least one recording to make the voice from")
        language = language and langcodes.standardize_tag(language)
        recording = record(references, transcript=transcript, language=language, consent=consent)
        voice, specs = recording.voice, self._specs()
        for engine in engines:
            if fault := _clone_fault(spec_of(engine, specs), voice):
                raise BadInput(fault, where=name)
        others = () if engines else _of_engines(specs, voice)
        self._check_free(name, voice.digest)
        store_voice(self._storage, voice, recording.audio)
        with held(self._storage, [Shared.voice(voice.digest)], self._holder(name)):
            self._name(name, voice.digest)
        return NamedVoice(
            name=name,
            voice=load_voice(self._storage, voice.digest),
            doubts=(*doubts_of(voice), *others),
        )

    def all(self) -> list[NamedVoice]:
        """Return the voices that have a name, sorted by name."""

        def named(name: str) -> NamedVoice | None:
            try:
                return self.get(name)
            except (NotFound, Damaged, NewerRelease) as exc:
                # A voice may have been deleted since the names were listed.
                log.warning("voice %r is skipped: %s", name, exc)
                return None

        return [voice for voice in each(named, names(self._storage, self._tenant)) if voice]

    def get(self, name: str) -> NamedVoice:
        """Return the voice of a name; raises NotFound."""
        voice = load_voice(self._storage, pointer(self._storage, self._tenant, name))
        return NamedVoice(name=name, voice=voice, doubts=tuple(doubts_of(voice)))

    def show(self, name: str) -> VoiceDetails:
        """Return everything known about a voice, by name or digest; raises NotFound."""
        digest = find(self._storage, self._tenant, name)
        voice = load_voice(self._storage, digest)
        specs = self._specs()
        unfit = unfit_for(specs, voice)
        return VoiceDetails(
            names=self._names_of(digest),
            voice=voice,
            doubts=(*doubts_of(voice), *_of_engines(specs, voice)),
            forms=self._forms(digest),
            jobs=self._jobs_with(digest),
            fits=tuple(n for n, spec in sorted(specs.items()) if spec.clones and n not in unfit),
            unfit=unfit,
        )

    def rename(self, old: str, new: str) -> None:
        """Rename a voice; raises NotFound, and Conflict when ``new`` belongs to another voice."""
        check_new_name(new)
        digest = pointer(self._storage, self._tenant, old)
        if new != old:
            self._check_free(new, digest)
            with held(self._storage, [Shared.voice(digest)], self._holder(new)):
                self._name(new, digest)
            self._storage.delete(Keys.voice_name(old, self._tenant))

    def delete(self, name: str) -> Deletion:
        """Delete a name, and its voice unless the voice has another name or a job uses it.

        name: the name, or the digest of a voice without a name, or of one with an interrupted
        deletion. Raises NotFound.
        """
        digest = find(self._storage, self._tenant, name)
        if next(self._storage.keys(Keys.voice_folder(digest)), None) is None:
            raise NotFound(f"there is no voice {digest!r}")
        shared = Shared.voice(digest)
        with marked_for_deletion(self._storage, shared):
            if digest != name:
                self._storage.delete(Keys.voice_name(name, self._tenant))
            # From now on, writers of documents with this voice see the mark of the deletion.
            others = self._names_of(digest)
            jobs = tuple(sorted({*holders(self._storage, shared), *self._jobs_with(digest)}))
            kept = bool(others or jobs)
            forms = () if kept else self._forms(digest)
            if not kept:
                self._remove(digest)
        return Deletion(digest=digest, names=others, jobs=jobs, forms=forms, kept=kept)

    def _remove(self, digest: str) -> None:
        """Remove a voice's objects, except the marks of deletions, which others may have left."""
        marks = Keys.voice_deletions(digest)
        for key in list(self._storage.keys(Keys.voice_folder(digest))):
            if not key.startswith(marks):
                self._storage.delete(key)

    def _check_free(self, name: str, digest: str) -> None:
        """Raise Conflict when ``name`` belongs to another voice."""
        try:
            other = pointer(self._storage, self._tenant, name)
        except NotFound:
            return
        if other != digest:
            raise Conflict(
                f"the name {name!r} belongs to another voice: choose another name, or rename or "
                "delete that voice first"
            )

    def _name(self, name: str, digest: str) -> None:
        if not self._storage.create(Keys.voice_name(name, self._tenant), digest.encode()):
            # Another process may have taken the name since the check.
            self._check_free(name, digest)

    def _holder(self, name: str) -> str:
        return name if self._tenant == DEFAULT_TENANT else f"{self._tenant}:{name}"

    def _names_of(self, digest: str) -> tuple[str, ...]:
        """Return all names of a voice; tenants with the same recordings share the voice."""

        def points(named: tuple[str, str]) -> bool:
            try:
                return pointer(self._storage, *named) == digest
            except (NotFound, Damaged):
                return False

        storage = self._storage
        known = [(tenant, name) for tenant in tenants(storage) for name in names(storage, tenant)]
        found = [one for one, match in zip(known, each(points, known), strict=True) if match]
        return tuple(
            name if tenant == self._tenant else f"{tenant}/{name}" for tenant, name in found
        )

    def _forms(self, digest: str) -> tuple[str, ...]:
        folder, ending = Keys.voice_folder(digest), ".safetensors"
        keys = sorted(key for key in self._storage.keys(folder) if key.endswith(ending))
        return tuple(key.removeprefix(folder).removesuffix(ending) for key in keys)

    def _jobs_with(self, digest: str) -> tuple[str, ...]:
        """Return the jobs that name a voice in any of their requests, or in a later round's plan.

        A retry may name a voice that no request names. Damaged documents count, too.
        """

        def uses(job: str) -> bool:
            rounds = self._storage.folders(Keys.rounds(job))
            plans = [Keys.plan(job, int(n)) for n in rounds if n.isdecimal() and n != "1"]
            keys = [Keys.job(job), *self._storage.keys(Keys.revisions(job)), *plans]
            return any(_names_voice(self._storage, key, digest) for key in keys)

        jobs = self._storage.folders(Keys.JOBS)
        return tuple(j for j, used in zip(jobs, each(uses, jobs), strict=True) if used)


def _names_voice(storage: Storage, key: str, digest: str) -> bool:
    try:
        return digest.encode() in storage.get(key)
    except NotFound:
        return False


def unfit_for(specs: Specs, voice: Voice) -> dict[str, str]:
    """Return, by engine, why engines that clone voices cannot clone this one."""
    cloning = (spec for _, spec in sorted(specs.items()) if spec.clones)
    faults = {spec.name: spec.reference_fault(voice.seconds, voice.transcript) for spec in cloning}
    return {name: fault for name, fault in faults.items() if fault}


def _of_engines(specs: Specs, voice: Voice) -> Iterator[str]:
    """Yield the doubt about one engine that cannot clone a voice, or about several at once."""
    unfit = unfit_for(specs, voice)
    if len(unfit) <= 1:
        yield from unfit.values()
        return
    needs: dict[str, list[str]] = defaultdict(list)
    for name in unfit:
        spec = specs[name]
        untold = spec.needs_transcript and not voice.transcript
        shortest, longest = spec.reference_seconds or (0.0, 0.0)
        needs["its transcript" if untold else f"{shortest:g} to {longest:g} s"].append(name)
    listed = ", ".join(f"{need} ({', '.join(engines)})" for need, engines in needs.items())
    lasts = f"{voice.seconds:.1f} s"
    yield f"{len(unfit)} engines cannot clone it: they need {listed}, and it lasts {lasts}"


def _clone_fault(spec: EngineSpec, voice: Voice) -> str | None:
    if not spec.clones:
        return f"engine {spec.name!r} does not clone voices"
    return spec.reference_fault(voice.seconds, voice.transcript)
