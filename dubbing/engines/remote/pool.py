"""The endpoints of a remote engine, as stored: ``endpoints/<instance>.json``."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, JsonValue, StringConstraints, field_validator

from dubbing.documents import IDENTIFIER, Document, Model, is_identifier, stored
from dubbing.engines.engine import EngineSpec
from dubbing.engines.remote.price import Money, Price, money_in, price_in
from dubbing.engines.usage import EndpointUse
from dubbing.errors import NotFound, StorageUnavailable
from dubbing.storage import Keys, Storage

log = logging.getLogger(__name__)

SERVICE_KEY = "TTS_API_KEY"
VARIABLE = re.compile(rf"DUBBING_KEY_[A-Z0-9_]+|{SERVICE_KEY}")
"""Allowed names of environment variables with an API key. Without this limit, anyone who can write
to storage could make a worker send any variable to any server."""

Spent: TypeAlias = Callable[[str, str, str], float]
"""Returns the costs of an engine's lines: (engine, month as `month_of` returns it, currency)."""
LISTED_SECONDS = 5.0
"""Seconds for which the names of pools are cached."""


def month_of(time: datetime) -> str:
    """Return the name of a calendar month: ``2026-11``."""
    return f"{time:%Y-%m}"


class Endpoint(Model):
    """One server of a pool."""

    url: str
    """Base URL of its routes, such as ``https://host:8443/v1``."""
    key_from: str = ""
    """Environment variable of workers that holds the API key; ``""`` without a key."""
    slots: int = Field(default=1, ge=1, le=1000)
    """Most simultaneous lines, over all workers."""
    draining: bool = False
    """Whether it gets no more lines."""
    node: Annotated[str, StringConstraints(pattern=rf"{IDENTIFIER}|^$")] = ""
    """The id under which it was registered over HTTP; ``""`` for `dubbing endpoints add`."""
    since: float = 0.0
    """When it was registered over HTTP, in seconds since 1970; 0 for `dubbing endpoints add`."""
    price: Annotated[Price, BeforeValidator(price_in)] | None = None
    """Its price; a person writes it as ``1.98 CNY/h`` or ``1200 CNY/month``."""

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError("write it as http://host:port/path or https://host/path")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("leave out user, password and everything from ? or #: name --key-from")
        return url.rstrip("/")

    @field_validator("key_from")
    @classmethod
    def _is_variable(cls, name: str) -> str:
        if name and not VARIABLE.fullmatch(name):
            raise ValueError("name a variable, such as DUBBING_KEY_OPENAI, and not the key itself")
        return name

    def use(self, engine: str, seconds: float) -> EndpointUse:
        """Return the usage of a request of ``engine`` that kept one slot busy for ``seconds``."""
        share = seconds / self.slots
        cost = self.price.cost(share) if self.price else None
        costs = {"cost": cost.amount, "currency": cost.currency} if cost else {}
        return EndpointUse.model_validate(
            {"engine": engine, "endpoint": self.url, "seconds": share, **costs}
        )


class Pool(Document):
    """The endpoints of one engine, and the model that all of them serve."""

    dialect: str = ""
    """The API of its servers, for an engine that supports several APIs."""
    model: str = ""
    """Name of the model on the servers; ``""`` if they have only one."""
    revision: str = ""
    """Distinguishes versions of a model that have the same name but speak differently."""
    spec: EngineSpec | None = None
    """The spec that the servers report, if any."""
    voices: tuple[str, ...] = ()
    """Stock voices."""
    languages: tuple[str, ...] = ("*",)
    """As in `EngineSpec`."""
    clones: bool = False
    """Whether its servers clone a reference that is sent with a line, for APIs where that is
    optional."""
    transcripts: bool = False
    """Whether its servers need the transcript of a reference."""
    rate: int = Field(default=0, ge=0, le=192_000)
    """Sample rate in Hz of answers that do not state it; 0 if they do."""
    references: str = ""
    """Folder shared by workers and servers, for servers that take a reference by its path."""
    fields: dict[str, JsonValue] = Field(default={})
    """Additional fields of each request for a line."""
    language_fields: dict[str, dict[str, JsonValue]] = Field(default={})
    """Additional fields of requests, by language; ``pt`` covers ``pt-BR``."""
    endpoints: tuple[Endpoint, ...] = ()
    cap: Annotated[Money, BeforeValidator(money_in)] | None = None
    """Most cost of its lines in a calendar month, computed from the prices per hour."""

    @property
    def digest(self) -> str:
        """Hex digest of all fields that affect how the model speaks."""
        said: list[Any] = [self.dialect, self.model, self.revision, self.fields]
        # Left out if unset, so that the clips of older pools keep their keys.
        said += [other for other in (self.language_fields, self.rate) if other]
        canonical = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def slots(self) -> int:
        """Most simultaneous lines of all endpoints together."""
        return sum(endpoint.slots for endpoint in self.endpoints if not endpoint.draining)

    def sent(self, language: str) -> dict[str, JsonValue]:
        """Return the additional fields of a request for a line in ``language``."""
        told = {tag.lower(): fields for tag, fields in self.language_fields.items()}
        tag = language.lower()
        return self.fields | told.get(tag.split("-", maxsplit=1)[0], {}) | told.get(tag, {})

    def endpoint(self, url: str) -> Endpoint | None:
        """Return the endpoint at an address, or None."""
        return next((one for one in self.endpoints if one.url == url.rstrip("/")), None)

    def having(self, endpoint: Endpoint) -> Pool:
        """Return the pool with an endpoint, which replaces another one at the same address."""
        others = [one for one in self.endpoints if one.url != endpoint.url]
        return self.model_copy(update={"endpoints": (*others, endpoint)})

    def without(self, endpoint: Endpoint) -> Pool:
        """Return the pool without an endpoint."""
        others = tuple(one for one in self.endpoints if one.url != endpoint.url)
        return self.model_copy(update={"endpoints": others})


class Pools:
    """The pools in storage."""

    def __init__(
        self,
        storage: Callable[[], Storage],
        key: Callable[[str], str] = lambda variable: os.environ.get(variable, ""),
        spent: Spent = lambda engine, month, currency: 0.0,
        ca_file: Path | None = None,
    ) -> None:
        """Take the access to storage, which is used only for remote engines.

        key: returns the API key in a variable, or ``""``.
        spent: returns the costs of an engine's lines in a month.
        ca_file: PEM file of certificate authorities that are trusted beside the public ones.
        """
        self._storage = storage
        self.key = key
        self._spent = spent
        self.ca_file = ca_file
        self._names: tuple[float, list[str]] = (-math.inf, [])
        """Cache: the time of `time.monotonic`, and the engines that had a pool then."""

    def names(self) -> list[str]:
        """Return the engines that have a pool; none while storage does not answer.

        The names are cached for some seconds, because a catalogue requests them for every engine.
        """
        listed_at, names = self._names
        if time.monotonic() > listed_at + LISTED_SECONDS:
            names = self._listed()
            self._names = time.monotonic(), names
        return names

    def _listed(self) -> list[str]:
        try:
            keys = list(self._storage().keys(Keys.ENDPOINTS))
        except StorageUnavailable as exc:
            log.warning("remote engines are left out: %s", exc)
            return []
        names = (key.removeprefix(Keys.ENDPOINTS).removesuffix(".json") for key in keys)
        return sorted(filter(is_identifier, names))

    def get(self, engine: str) -> Pool:
        """Return the pool of an engine, empty when it has none; raises as `stored`."""
        key = Keys.endpoints(engine)
        try:
            return stored(Pool, self._storage().get(key), key)
        except NotFound:
            return Pool()

    def reached_cap(self, engine: str, pool: Pool) -> str:
        """Return a message if an engine has reached its cap this month, else ``""``.

        Raises StorageUnavailable and QueueUnavailable.
        """
        if pool.cap is None:
            return ""
        now = datetime.now(UTC)
        if self._spent(engine, month_of(now), pool.cap.currency) < pool.cap.amount:
            return ""
        return f"the cap of {engine} for {now:%B %Y} is reached: {pool.cap}"

    def put(self, engine: str, pool: Pool) -> None:
        """Store the pool of an engine; without endpoints, only its cap is kept."""
        key = Keys.endpoints(engine)
        self._names = (-math.inf, [])
        if not pool.endpoints:
            pool = Pool(cap=pool.cap)
        if pool != Pool():
            self._storage().replace(key, pool.model_dump_json().encode())
        else:
            self._storage().delete(key)
