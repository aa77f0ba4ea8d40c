"""Names of stored voices: each belongs to a tenant, and points to a voice's digest.

Names are user input, so each is checked before it becomes part of a storage key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from dubbing.documents import is_identifier
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput, Damaged, NotFound
from dubbing.job import DEFAULT_TENANT, Manner, Request, Segment
from dubbing.job.job import DIGEST
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices.store import load_voice
from dubbing.voices.voice import Digest, Voice

AnyRequest = TypeVar("AnyRequest", bound=Request)
Felt = TypeVar("Felt", Manner, Segment)


def names(storage: Storage, tenant: str) -> list[str]:
    """Return the names of all voices of a tenant, sorted."""
    prefix = Keys.voice_names(tenant)
    found = (key.removeprefix(prefix) for key in storage.keys(prefix))
    return sorted(name for name in found if is_identifier(name))


def tenants(storage: Storage) -> list[str]:
    """Return the tenants that may have voices."""
    others = storage.folders(Keys.TENANTS_VOICE_NAMES)
    return [DEFAULT_TENANT, *filter(is_identifier, others)]


def find(storage: Storage, tenant: str, name: str) -> str:
    """Return a voice's digest, given its name or the digest itself; raises NotFound."""
    return name if is_digest(name) else pointer(storage, tenant, name)


def stored_voice(storage: Storage, tenant: str, name: str) -> Voice | None:
    """Return the voice of a name or digest, or None when there is none; raises Damaged."""
    try:
        return load_voice(storage, find(storage, tenant, name))
    except NotFound:
        return None


def with_stored_voices(
    request: AnyRequest, specs: Mapping[str, EngineSpec], voice: Callable[[str], Voice | None]
) -> AnyRequest:
    """Return ``request`` with the digest of each stored voice that its cast or an emotion names.

    A stock voice of the engine takes precedence in the cast. An unknown name stays as it is.

    voice: returns the stored voice of a name or digest, or None.
    """
    cast = {
        speaker: _with_digest(role, voice(role.voice or ""))
        if asks_stored(request, speaker, specs)
        else role
        for speaker, role in request.cast.items()
    }
    felt = {speaker: _felt(role, voice) for speaker, role in cast.items()}
    segments = tuple(
        _felt(_in_own_voice(request, segment, specs, voice), voice) for segment in request.segments
    )
    return request.model_copy(update={"cast": felt, "segments": segments})


def _with_digest(role: Manner, voice: Voice | None) -> Manner:
    return role.model_copy(update={"voice": None}).cloning(voice.digest) if voice else role


def _in_own_voice(
    request: Request,
    segment: Segment,
    specs: Mapping[str, EngineSpec],
    voice: Callable[[str], Voice | None],
) -> Segment:
    """Return a segment with the digest of the stored voice that it names."""
    if segment.voice is None or is_digest(segment.voice):
        return segment
    spec = specs.get(request.engine_of(segment.speaker))
    if spec is None or segment.voice in spec.voices or not (found := voice(segment.voice)):
        return segment
    return segment.model_copy(update={"voice": found.digest})


def _felt(one: Felt, voice: Callable[[str], Voice | None]) -> Felt:
    """Return a role or segment with the digest of the voice that its emotion names."""
    emotion = one.emotion
    if emotion is None or emotion.voice is None or is_digest(emotion.voice):
        return one
    found = voice(emotion.voice)
    digest = found.digest if found else emotion.voice
    return one.model_copy(update={"emotion": emotion.model_copy(update={"voice": digest})})


def asks_stored(request: Request, speaker: str, specs: Mapping[str, EngineSpec]) -> bool:
    """Whether the cast names a voice that is not a stock voice of the speaker's engine."""
    role, spec = request.role(speaker), specs.get(request.engine_of(speaker))
    return bool(role.voice and not role.cloned and spec and role.voice not in spec.voices)


def pointer(storage: Storage, tenant: str, name: str) -> str:
    """Return the digest that a tenant's name points to; raises NotFound, or Damaged."""
    unknown = NotFound(f"there is no voice {name!r}")
    if not is_identifier(name):
        raise unknown
    key = Keys.voice_name(name, tenant)
    try:
        return TypeAdapter(Digest).validate_python(storage.get(key).decode())
    except NotFound as exc:
        raise unknown from exc
    except (ValidationError, UnicodeDecodeError) as exc:
        raise Damaged(key) from exc


def is_digest(name: str) -> bool:
    """Whether ``name`` is the digest of a voice, and not its name."""
    return DIGEST.fullmatch(name) is not None


def check_new_name(name: str) -> None:
    """Raise BadInput for a name that is not an identifier, or looks like a digest."""
    if not is_identifier(name) or is_digest(name):
        raise BadInput(
            f"{name!r} cannot name a voice: use up to 100 letters, digits, dots, hyphens and "
            "underscores, beginning with a letter or digit"
        )
