"""Names of stored voices: each points to a voice's digest.

Names come from outside, so each is checked before it becomes part of a storage key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from dubbing.documents import is_identifier
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput, Damaged, NotFound
from dubbing.job import Manner, Request
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices.store import load_voice
from dubbing.voices.voice import Digest, Voice

AnyRequest = TypeVar("AnyRequest", bound=Request)


def names(storage: Storage) -> list[str]:
    """Return the names of all voices, sorted."""
    found = (key.removeprefix(Keys.VOICE_NAMES) for key in storage.keys(Keys.VOICE_NAMES))
    return sorted(name for name in found if is_identifier(name))


def find(storage: Storage, name: str) -> str:
    """Return a voice's digest, given its name or the digest itself; raises NotFound."""
    return name if _is_digest(name) else pointer(storage, name)


def stored_voice(storage: Storage, name: str) -> Voice | None:
    """Return the voice of a name or digest, or None when there is none; raises Damaged."""
    try:
        return load_voice(storage, find(storage, name))
    except NotFound:
        return None


def with_stored_voices(
    request: AnyRequest, specs: Mapping[str, EngineSpec], voice: Callable[[str], Voice | None]
) -> AnyRequest:
    """Return ``request`` with the digest of each stored voice that its cast names.

    A stock voice of the engine takes precedence. An unknown name stays as it is.

    voice: returns the stored voice of a name or digest, or None.
    """
    cast = {
        speaker: _with_digest(role, voice(role.voice or ""))
        if asks_stored(request, speaker, specs)
        else role
        for speaker, role in request.cast.items()
    }
    return request.model_copy(update={"cast": cast})


def _with_digest(role: Manner, voice: Voice | None) -> Manner:
    return role.model_copy(update={"voice": None}).cloning(voice.digest) if voice else role


def asks_stored(request: Request, speaker: str, specs: Mapping[str, EngineSpec]) -> bool:
    """Whether the cast names a voice that is not a stock voice of the speaker's engine."""
    role, spec = request.role(speaker), specs.get(request.engine_of(speaker))
    return bool(role.voice and not role.cloned and spec and role.voice not in spec.voices)


def pointer(storage: Storage, name: str) -> str:
    """Return the digest that a name points to; raises NotFound, or Damaged."""
    unknown = NotFound(f"there is no voice {name!r}")
    if not is_identifier(name):
        raise unknown
    try:
        return TypeAdapter(Digest).validate_python(storage.get(Keys.voice_name(name)).decode())
    except NotFound as exc:
        raise unknown from exc
    except (ValidationError, UnicodeDecodeError) as exc:
        raise Damaged(Keys.voice_name(name)) from exc


def _is_digest(name: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{64}", name) is not None


def check_new_name(name: str) -> None:
    """Raise BadInput for a name that is not an identifier, or looks like a digest."""
    if not is_identifier(name) or _is_digest(name):
        raise BadInput(
            f"{name!r} cannot name a voice: use up to 100 letters, digits, dots, hyphens and "
            "underscores, beginning with a letter or digit"
        )
