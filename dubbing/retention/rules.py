"""The rules of retention: the age and size up to which storage keeps each kind."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from dubbing.errors import BadInput

HOUR = 3600.0
DAY = 24 * HOUR
OTHERS = "*"
"""Stands for tenants that the rules do not list, and for objects that all tenants share."""
UNITS = {"h": HOUR, "d": DAY, "w": 7 * DAY, "MB": 1e6, "GB": 1e9, "TB": 1e12}
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(h|d|w|MB|GB|TB)")
NEVER = "never"
WHERE = "DUBBING_RETENTION"


class Kind(StrEnum):
    """A kind of object that may be removed."""

    OUTPUTS = "outputs"
    """Files of jobs that have ended, by the time of the end."""
    ROUNDS = "rounds"
    """Results and plans of jobs that have ended, by the time of the last end."""
    UPLOADS = "uploads"
    """Uploads over HTTP that have arrived, by the time of their arrival."""
    STRAYS = "strays"
    """Files that no end of a round names, and leftovers of jobs that were deleted."""
    MEDIA = "media"
    """Films and sounds that no job and no upload names."""
    VOICES = "voices"
    """Recordings without a name that no job uses."""
    BACKGROUNDS = "backgrounds"
    """Sounds of films without speech, by the time they were made or, in a folder, last used."""
    CLIPS = "clips"
    """Clips that no result names, by the time of their last use."""
    MESSAGES = "messages"
    """Marks of sent messages to webhooks, and dead messages, by their time."""


SHARED = frozenset({Kind.MEDIA, Kind.VOICES, Kind.BACKGROUNDS, Kind.CLIPS})
"""Kinds that belong to no tenant."""
LEAST = DAY
"""Shortest age of garbage: new documents may soon name such objects."""
GARBAGE = SHARED | {Kind.STRAYS, Kind.MESSAGES}


class Bound(NamedTuple):
    """The bound of a kind."""

    age: float = math.inf
    """Seconds."""
    size: float = math.inf
    """Bytes."""


FOR_EVER = Bound()
DEFAULTS = {
    Kind.STRAYS: Bound(age=DAY),
    Kind.MEDIA: Bound(age=7 * DAY),
    Kind.CLIPS: Bound(age=7 * DAY),
    Kind.MESSAGES: Bound(age=30 * DAY),
}
"""The default bounds; other kinds are removed only by a rule."""


class Aged(Protocol):
    """An object with the values that a bound compares."""

    @property
    def modified(self) -> float:
        """Its time, in seconds since 1970."""

    @property
    def size(self) -> int:
        """Its bytes."""


Thing = TypeVar("Thing", bound=Aged)


class Rules:
    """The bounds of each tenant and kind."""

    def __init__(self, bounds: Mapping[tuple[str, Kind], Bound] | None = None) -> None:
        """Take bounds by tenant and kind; kinds that are missing have their default."""
        self._bounds = {(OTHERS, kind): bound for kind, bound in DEFAULTS.items()}
        self._bounds |= bounds or {}

    @classmethod
    def read(cls, setting: Mapping[str, Mapping[str, str]]) -> Rules:
        """Return the rules of ``DUBBING_RETENTION``; raises BadInput with the remedy."""
        return cls(
            {
                (tenant, _kind(name, tenant)): _bound(words, _kind(name, tenant))
                for tenant, kinds in setting.items()
                for name, words in kinds.items()
            }
        )

    def of(self, kind: Kind, tenant: str = OTHERS) -> Bound:
        """Return the bound of a tenant's kind; a kind without a rule is kept for ever."""
        for whose in (tenant, OTHERS):
            if bound := self._bounds.get((whose, kind)):
                return bound
        return FOR_EVER


def beyond(things: Iterable[Thing], bound: Bound, now: float) -> list[Thing]:
    """Return the objects beyond a bound: too old ones, and the oldest beyond the size."""
    found, size = [], 0
    for thing in sorted(things, key=lambda thing: thing.modified, reverse=True):
        size += thing.size
        if now - thing.modified > bound.age or size > bound.size:
            found.append(thing)
    return found


def _kind(name: str, tenant: str) -> Kind:
    try:
        kind = Kind(name)
    except ValueError:
        known = ", ".join(Kind)
        raise BadInput(f"{name!r} is none of the kinds {known}", where=WHERE) from None
    if kind in SHARED and tenant != OTHERS:
        raise BadInput(
            f"{name} belong to all tenants: write their rule under {OTHERS!r}, not {tenant!r}",
            where=WHERE,
        )
    return kind


def _bound(words: str, kind: Kind) -> Bound:
    """Return the bound of a text such as ``30d``, ``500GB``, or both."""
    amounts = [AMOUNT.fullmatch(word) for word in words.split()]
    known = [(found[2], float(found[1]) * UNITS[found[2]]) for found in amounts if found]
    if words != NEVER and not (known and len(known) == len(amounts)):
        raise BadInput(
            f"{words!r} is no age or size: write 12h, 30d, 8w, 500GB, '30d 500GB' or {NEVER}",
            where=f"{WHERE}: {kind}",
        )
    ages = [amount for unit, amount in known if not unit.endswith("B")]
    sizes = [amount for unit, amount in known if unit.endswith("B")]
    bound = Bound(min(ages, default=math.inf), min(sizes, default=math.inf))
    if kind in GARBAGE and bound.age < LEAST:
        raise BadInput(
            "keep it for at least 1d: a new object may be needed soon",
            where=f"{WHERE}: {kind}",
        )
    return bound
