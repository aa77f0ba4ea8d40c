"""API keys of the gateway: their tenants and rights.

A key is ``dub_<id>_<secret>``. Storage holds the digest of the secret, ``api-keys/<id>.json``; the
secret itself is shown once, when the key is made.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from dubbing.documents import Document, Identifier, stored
from dubbing.errors import BadInput, Damaged, NewerRelease, NotFound
from dubbing.storage import Keys, Storage, each

KEY = re.compile(r"dub_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
"""The id and the secret of a key."""
NOTED_SECONDS = 600.0
"""Uses of a key within this time are recorded as one."""


class Scope(StrEnum):
    """The rights of a key."""

    READ = "read"
    """See jobs, voices and workers, and fetch outputs."""
    SUBMIT = "submit"
    """Submit, change and cancel jobs, upload media, and speak lines."""
    VOICES = "voices"
    """Make, rename and delete voices."""
    ADMIN = "admin"
    """Everything, for every tenant; control workers, and register servers of engines."""


USUAL = (Scope.READ, Scope.SUBMIT, Scope.VOICES)
"""The default rights of a key."""


class ApiKey(Document):
    """A key as it is stored: ``api-keys/<id>.json``."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    """Holder or purpose."""
    tenant: Identifier
    scopes: tuple[Scope, ...]
    granted: tuple[str, ...] = ()
    """Where jobs may read media and write results beside uploads: ``s3://bucket/prefix``."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """None: the general limit."""
    digest: str = Field(repr=False)
    """SHA-256 of the secret, in hex: nobody can guess a random secret, so it needs no salt."""
    created: float
    """Seconds since 1970."""

    def may(self, scope: Scope) -> bool:
        """Whether the holder may do this."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


@dataclass(frozen=True)
class KeyUse:
    """A key with its last use."""

    key: ApiKey
    used: float | None
    """Seconds since 1970, to some minutes; None if it was never used."""


class Keyring:
    """The API keys of one installation. Safe to use from several threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._noted: dict[str, float] = {}
        """When this process recorded a use of each key, by the monotonic clock."""

    def make(
        self,
        tenant: str,
        scopes: Sequence[Scope],
        *,
        name: str = "",
        granted: Sequence[str] = (),
        requests_per_minute: int | None = None,
    ) -> tuple[ApiKey, str]:
        """Make a key; return it with the text that its holder sends, which is not shown again.

        Raises BadInput for a grant that is not a place on S3.
        """
        for place in granted:
            if not re.fullmatch(r"s3://[^/]+(/.*)?", place):
                raise BadInput("write a grant as s3://bucket/prefix", where=place)
        secret = secrets.token_urlsafe(32)
        key = ApiKey(
            id=secrets.token_hex(6),
            name=name,
            tenant=tenant,
            scopes=tuple(dict.fromkeys(scopes)),
            granted=tuple(granted),
            requests_per_minute=requests_per_minute,
            digest=_digest(secret),
            created=time.time(),
        )
        self._storage.create(Keys.api_key(key.id), key.model_dump_json().encode())
        return key, f"dub_{key.id}_{secret}"

    def find(self, text: str) -> ApiKey | None:
        """Return the key of a caller's text, or None if it is unknown or revoked."""
        sent = KEY.fullmatch(text)
        if sent is None:
            return None
        try:
            key = self._load(sent[1])
        except NotFound:
            return None
        if not hmac.compare_digest(key.digest, _digest(sent[2])):
            return None
        self._note(key.id)
        return key

    def get(self, id_: str) -> ApiKey | None:
        """Return a key by its id, for an authenticated holder, or None if it was revoked."""
        try:
            key = self._load(id_)
        except NotFound:
            return None
        self._note(id_)
        return key

    def all(self) -> list[KeyUse]:
        """Return the keys, the oldest first; unreadable keys are left out."""
        ends = ".json"
        found = (key.removeprefix(Keys.API_KEYS) for key in self._storage.keys(Keys.API_KEYS))
        ids = [name.removesuffix(ends) for name in found if name.endswith(ends)]
        uses = [use for use in each(self._use, ids) if use]
        return sorted(uses, key=lambda use: use.key.created)

    def any(self) -> bool:
        """Whether a key was made and not revoked."""
        return any(key.endswith(".json") for key in self._storage.keys(Keys.API_KEYS))

    def revoke(self, id_: str) -> ApiKey:
        """Revoke a key, and return it; raises NotFound."""
        key = self._load(id_)
        self._storage.delete(Keys.api_key(id_))
        self._storage.delete(Keys.api_key_use(id_))
        return key

    def _load(self, id_: str) -> ApiKey:
        if not re.fullmatch(r"[0-9a-f]{12}", id_):
            raise NotFound(f"there is no key {id_!r}")
        try:
            return stored(ApiKey, self._storage.get(Keys.api_key(id_)), Keys.api_key(id_))
        except NotFound as exc:
            raise NotFound(f"there is no key {id_!r}") from exc

    def _use(self, id_: str) -> KeyUse | None:
        try:
            key = self._load(id_)
        except (NotFound, Damaged, NewerRelease):
            return None
        used = None
        with suppress(NotFound, ValueError):
            used = float(self._storage.get(Keys.api_key_use(id_)))
        return KeyUse(key, used)

    def _note(self, id_: str) -> None:
        now = time.monotonic()
        if now - self._noted.get(id_, -math.inf) > NOTED_SECONDS:
            self._noted[id_] = now
            self._storage.replace(Keys.api_key_use(id_), f"{time.time():.0f}".encode())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
