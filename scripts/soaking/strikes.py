"""The strikes of a soak and their times; the seed alone decides them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dubbing.ledger.ledger import LEASE_SECONDS

WORKERS = {"faulty-1": "faulty", "faulty-2": "faulty", "tone": "tone", "assembly": "assembly"}
"""The engine of each worker."""
REDIS, STORAGE, STRAY = "redis", "storage", "stray"
FIRST = 2.0
"""Seconds before the first strike."""
BETWEEN = 1.0
"""Mean seconds between two strikes."""
REST = 2.0
"""Seconds without strikes for a target that was struck."""


class Blow(StrEnum):
    """The action of a strike; ended processes are restarted, stopped ones resumed."""

    KILL_CHILD = "kill -9 a pool process of"
    KILL_WORKER = "kill -9 the worker"
    TERMINATE = "SIGTERM to the worker"
    FREEZE = "SIGSTOP to the worker"
    KILL_REDIS = "kill -9 the server"
    FORGET = "FLUSHALL on"
    PROMOTE = "promote a replica that lacks what came last, in the place of"
    DOUBLE = "send a claimed batch twice through"
    DROP = "take a message out of"
    EVICT = "evict some of all keys of"
    LOSE = "lose some of a kind of keys of"
    MALFORM = "push malformed entries into"
    LOSE_RESULT = "lose a result in"
    DELAY_RESULT = "hold back a result in"
    DAMAGE_RESULT = "damage a result in"
    DAMAGE_CLIP = "damage a clip in"
    STRAY = "start a worker with another storage:"
    DOWNGRADE = "put one of the release before in the place of"


@dataclass(frozen=True)
class Habit:
    """A blow's weight, possible targets, and duration in seconds."""

    weight: int
    targets: tuple[str, ...]
    shortest: float = 0.0
    longest: float = 0.0


HABITS = {
    Blow.KILL_CHILD: Habit(5, tuple(WORKERS)),
    Blow.KILL_WORKER: Habit(3, tuple(WORKERS), 0.5, 8.0),
    Blow.TERMINATE: Habit(2, tuple(WORKERS), 0.0, 5.0),
    Blow.FREEZE: Habit(2, tuple(WORKERS), LEASE_SECONDS + 1, LEASE_SECONDS + 5),
    Blow.KILL_REDIS: Habit(2, (REDIS,), 0.0, 3.0),
    Blow.FORGET: Habit(1, (REDIS,)),
    # Seconds by which the replica lags.
    Blow.PROMOTE: Habit(2, (REDIS,), 0.2, 3.0),
    Blow.DOUBLE: Habit(3, (REDIS,)),
    Blow.DROP: Habit(3, (REDIS,)),
    Blow.EVICT: Habit(2, (REDIS,)),
    Blow.LOSE: Habit(3, (REDIS,)),
    Blow.MALFORM: Habit(3, (REDIS,)),
    Blow.LOSE_RESULT: Habit(2, (STORAGE,)),
    Blow.DELAY_RESULT: Habit(2, (STORAGE,), 3.0, 3.0),
    Blow.DAMAGE_RESULT: Habit(2, (STORAGE,)),
    Blow.DAMAGE_CLIP: Habit(2, (STORAGE,)),
    Blow.STRAY: Habit(2, (STRAY,), 5.0, 10.0),
    # Long enough to give up a job that the older worker cannot do.
    Blow.DOWNGRADE: Habit(2, ("faulty-1", "assembly"), 45.0, 60.0),
}


@dataclass(frozen=True, kw_only=True)
class Strike:
    """One disturbance."""

    at: float
    """Seconds after the start."""
    blow: Blow
    target: str
    lasts: float
    """Seconds until it is mended."""
    pick: int
    """Chooses among several processes, batches or messages."""

    def __str__(self) -> str:
        return f"{self.blow} {self.target}" + (f", for {self.lasts:.1f} s" if self.lasts else "")


def strikes(seed: int, seconds: float) -> Iterator[Strike]:
    """Yield the strikes of a soak in order; a longer soak begins with the same ones."""
    source = random.Random(f"{seed}/strikes")
    free = dict.fromkeys((target for habit in HABITS.values() for target in habit.targets), 0.0)
    downgraded = HABITS[Blow.DOWNGRADE].targets[seed % 2]
    blows, weights = list(HABITS), [habit.weight for habit in HABITS.values()]
    at = FIRST
    while True:
        blow = source.choices(blows, weights)[0]
        habit = HABITS[blow]
        target = source.choice(habit.targets)
        lasts, pick = source.uniform(habit.shortest, habit.longest), source.randrange(2**16)
        if at > seconds:
            return
        if blow is Blow.DOWNGRADE:
            target = downgraded
        # A target that is down cannot be struck.
        if free[target] <= at:
            free[target] = at + lasts + REST
            yield Strike(at=at, blow=blow, target=target, lasts=lasts, pick=pick)
        at += source.expovariate(1 / BETWEEN)
