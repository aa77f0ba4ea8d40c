"""Asks: a line at a speed, and the storage key of its clip.

The key is a digest of the ask, so the same ask has the same clip in every job, and is spoken once.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

from dubbing.engines.engine import Engine, EngineSpec
from dubbing.planning.plan import SPEED_STEP, Batch, PlannedLine
from dubbing.storage.keys import Keys

SHORTEST_ROOM = 0.001
"""Seconds; a plan holds rooms in milliseconds, so that of a shorter cue is 0."""


@dataclass(frozen=True)
class Ask:
    """A take to be made: a line at a speed."""

    line: PlannedLine
    speed: float
    """Relative to the line's natural pace."""
    key: str
    """Storage key of its clip."""


def clip_key(spec: EngineSpec, model: str, batch: Batch, line: PlannedLine, speed: float) -> str:
    """Return the storage key of a line's clip at a speed, which is relative to the line's pace."""
    asked = [
        spec.name,
        model,
        spec.recipe,
        batch.voice.identity,
        line.spoken,
        batch.language,
        line.pitch,
        line.style,
        round(line.speed * speed / SPEED_STEP),
        line.seed,
    ]
    if line.emotion:
        # The keys of lines without an emotion must stay those of earlier releases.
        asked.append(line.emotion.model_dump(exclude_defaults=True))
    return Keys.clip(hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest())


def hurried_speed(line: PlannedLine, seconds: float, spec: EngineSpec) -> float:
    """Return the speed, relative to the line's pace, at which the line should fit its room.

    seconds: length of its natural take after all possible cuts. Returns 1.0 for a line that fits,
    and for an engine that cannot speak faster.
    """
    if seconds <= line.room:
        return 1.0
    slowest, fastest = spec.speed
    if fastest <= slowest:
        return 1.0
    room = max(line.room, SHORTEST_ROOM)
    needed = min(seconds / room, line.max_rate, fastest / line.speed)
    # Absolute speeds are whole steps, and rounding up must not exceed the bounds.
    steps = math.ceil(round(needed * line.speed / SPEED_STEP, 6))
    highest = math.floor(round(min(line.max_rate * line.speed, fastest) / SPEED_STEP, 6))
    return max(1.0, min(steps, highest) * SPEED_STEP / line.speed)


def natural_asks(engine: Engine, batch: Batch) -> list[Ask]:
    """Return the ask of each line of a batch at the line's own pace."""
    return [_ask(engine, batch, line, 1.0) for line in batch.lines]


def hurried_asks(engine: Engine, batch: Batch, made: Iterable[tuple[Ask, float]]) -> list[Ask]:
    """Return the faster asks of lines that are too long.

    made: natural asks, each with the seconds of its take, as in `hurried_speed`.
    """
    speeds = ((ask.line, hurried_speed(ask.line, seconds, engine.spec)) for ask, seconds in made)
    return [_ask(engine, batch, line, speed) for line, speed in speeds if speed > 1.0]


def first_of_each(asks: Iterable[Ask]) -> dict[str, Ask]:
    """Return the first ask of each key, by key, in order."""
    found: dict[str, Ask] = {}
    for ask in asks:
        found.setdefault(ask.key, ask)
    return found


def _ask(engine: Engine, batch: Batch, line: PlannedLine, speed: float) -> Ask:
    return Ask(line, speed, clip_key(engine.spec, engine.model, batch, line, speed))
