"""The facts about a batch before its engine begins: its asks, and its stored clips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dubbing.engines.engine import Engine
from dubbing.planning.plan import Batch
from dubbing.planning.result import Take
from dubbing.synthesis.ask import Ask, hurried_asks, natural_asks
from dubbing.synthesis.clips import ClipStore
from dubbing.synthesis.progress import Made


class Known(NamedTuple):
    """The asks of a batch, and the stored takes among them."""

    model: str
    """Digest of the engine's model, which is part of all keys."""
    natural: list[Ask]
    """The ask of each line at the line's own pace."""
    hurried: list[Ask]
    """The faster asks of lines whose natural take is stored, and too long."""
    takes: Mapping[str, Take]
    """The takes of these asks that storage holds, by key."""


def look_up(engine: Engine, clips: ClipStore, batch: Batch) -> Known:
    """Return the asks of a batch and their stored takes; raises StorageUnavailable.

    engine: only its spec and model are read, because it may be speaking meanwhile.
    """
    natural = natural_asks(engine, batch)
    found = clips.find(natural)
    made = [Made.of(ask, found[ask.key]) for ask in natural if ask.key in found]
    hurried = hurried_asks(engine, batch, ((one.ask, one.shortest) for one in made))
    return Known(engine.model, natural, hurried, found | clips.find(hurried))
