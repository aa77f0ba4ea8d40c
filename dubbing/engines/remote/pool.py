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
"""Names of the environment variables that may hold an API key. Otherwise a writer of storage
could make a worker send any variable to any server."""

Spent: TypeAlias = Callable[[str, str, str], float]
"""Returns the costs of an engine's lines, by its name, the month of `month_of` and the currency."""
LISTED_SECONDS = 5.0
"""Seconds for which the names of pools are cached."""


def month_of(time: datetime) -> str:
    """Return the name of a calendar month: ``2026-11``."""
    return f"{time:%Y-%m}"


class Endpoint(Model):
    """One server of a pool."""

    url: str
    """The root of its routes: ``https://host:8443/v1``."""
    key_from: str = ""
    """The environment variable of a worker that holds its API key; ``""`` when it needs none."""
    slots: int = Field(default=1, ge=1, le=1000)
    """Most simultaneous lines, over all workers."""
    draining: bool = False
    """Whether it gets no more lines."""
    node: Annotated[str, StringConstraints(pattern=rf"{IDENTIFIER}|^$")] = ""
    """The id under which it was registered; ``""`` for an endpoint that was added otherwise."""
    since: float = 0.0
    """When it was registered, in seconds since 1970; 0 for an endpoint that was added otherwise."""
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
        """Return the usage of a request of ``engine`` that kept one slot busy for some seconds."""
        share = seconds / self.slots
        cost = self.price.cost(share) if self.price else None
        costs = {"cost": cost.amount, "currency": cost.currency} if cost else {}
        return EndpointUse.model_validate(
            {"engine": engine, "endpoint": self.url, "seconds": share, **costs}
        )


class Pool(Document):
    """The endpoints of one engine, and the model that all of them serve."""

    dialect: str = ""
    """The contract of its servers, for an engine with several contracts."""
    model: str = ""
    """Name of the model on the servers; ``""`` if they have only one."""
    revision: str = ""
    """Distinguishes two versions of a model with one name, whose clips differ."""
    spec: EngineSpec | None = None
    """The servers' description of their engine, if they have one."""
    voices: tuple[str, ...] = ()
    """Stock voices."""
    languages: tuple[str, ...] = ("*",)
    """As in `EngineSpec`."""
    clones: bool = False
    """Whether its servers clone the reference that is sent with a line, if that is an option."""
    transcripts: bool = False
    """Whether its servers need the transcript of a reference."""
    rate: int = Field(default=0, ge=0, le=192_000)
    """Sample rate of answers that do not state it, in Hz; 0 for others."""
    references: str = ""
    """The folder that workers and servers share, for servers that take a reference by its path."""
    fields: dict[str, JsonValue] = Field(default={})
    """Fields that are sent with each line, beside those of the contract."""
    language_fields: dict[str, dict[str, JsonValue]] = Field(default={})
    """Further fields that are sent with each line of a language; ``pt`` covers ``pt-BR``."""
    endpoints: tuple[Endpoint, ...] = ()
    cap: Annotated[Money, BeforeValidator(money_in)] | None = None
    """Limit of its lines' costs in a calendar month, by the prices per hour."""

    @property
    def digest(self) -> str:
        """Hex digest of all known facts that decide how the model speaks."""
        said: list[Any] = [self.dialect, self.model, self.revision, self.fields]
        # Clips of pools without these keep their keys.
        said += [other for other in (self.language_fields, self.rate) if other]
        canonical = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def slots(self) -> int:
        """Most simultaneous lines of all endpoints together."""
        return sum(endpoint.slots for endpoint in self.endpoints if not endpoint.draining)

    def sent(self, language: str) -> dict[str, JsonValue]:
        """Return the fields that are sent with a line of a language."""
        told = {tag.lower(): fields for tag, fields in self.language_fields.items()}
        tag = language.lower()
        return self.fields | told.get(tag.split("-", maxsplit=1)[0], {}) | told.get(tag, {})

    def endpoint(self, url: str) -> Endpoint | None:
        """Return the endpoint at an address, or None."""
        return next((one for one in self.endpoints if one.url == url.rstrip("/")), None)

    def having(self, endpoint: Endpoint) -> Pool:
        """Return the pool with an endpoint, in place of another one at its address."""
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
        """Keep the access to storage, which is read only for remote engines.

        key: returns the API key in a variable, or ``""``.
        spent: returns the costs of an engine's lines in a month.
        ca_file: PEM file of certificate authorities that are trusted beside the public ones.
        """
        self._storage = storage
        self.key = key
        self._spent = spent
        self.ca_file = ca_file
        self._names: tuple[float, list[str]] = (-math.inf, [])
        """When they were listed, by `time.monotonic`, and the engines that have a pool."""

    def names(self) -> list[str]:
        """Return the engines that have a pool; none while storage does not answer.

        They are cached for some seconds, because a catalogue asks for them once for each engine.
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
        """Return in words that an engine has reached its cap this month, or ``""``.

        Raises StorageUnavailable and QueueUnavailable.
        """
        if pool.cap is None:
            return ""
        now = datetime.now(UTC)
        if self._spent(engine, month_of(now), pool.cap.currency) < pool.cap.amount:
            return ""
        return f"the cap of {engine} for {now:%B %Y} is reached: {pool.cap}"

    def put(self, engine: str, pool: Pool) -> None:
        """Store the pool of an engine; of one without endpoints, only the cap is kept."""
        key = Keys.endpoints(engine)
        self._names = (-math.inf, [])
        if not pool.endpoints:
            pool = Pool(cap=pool.cap)
        if pool != Pool():
            self._storage().replace(key, pool.model_dump_json().encode())
        else:
            self._storage().delete(key)
