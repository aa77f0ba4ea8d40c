"""The measured pace of voices, from the lines of jobs, for predictions about the next job.

Each assembly measures the voices of its job and stores each pace under its own key, so no process
waits for another; the last job wins. A voice with little speech has no measured pace; then the pace
in its engine's spec applies.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from dubbing.documents import Document, stored
from dubbing.engines.engine import weight
from dubbing.errors import Damaged, NewerRelease, NotFound
from dubbing.job.fit import SHORTEST_PAUSE
from dubbing.planning.outcome import Outcome
from dubbing.planning.pauses import spare
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.storage.parallel import each

ENOUGH = 300
"""Minimum number of characters to measure a voice's pace: some seven lines."""


class VoiceIn(NamedTuple):
    """A voice of an engine in a language."""

    engine: str
    voice: str
    """Its identity."""
    language: str
    """BCP 47 tag."""

    @property
    def key(self) -> str:
        """Storage key of its pace."""
        named = json.dumps([self.voice, self.language])
        return Keys.pace(self.engine, hashlib.sha256(named.encode()).hexdigest()[:32])


class Pace(Document):
    """The measured pace of a voice in a language."""

    engine: str
    voice: str
    """Its identity."""
    language: str
    """BCP 47 tag."""
    characters_per_second: float
    """Of the spoken text, as `weight` counts them, at speed 1 and with the shortest pauses."""


def keep_paces(storage: Storage, outcomes: Iterable[Outcome]) -> None:
    """Store the pace of each voice with enough speech; raises StorageUnavailable."""
    each(lambda pace: _keep(storage, pace), measured(outcomes))


def measured(outcomes: Iterable[Outcome]) -> list[Pace]:
    """Return the pace of each voice with enough speech in its natural takes."""
    said: dict[VoiceIn, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for outcome in outcomes:
        line, batch = outcome.line, outcome.batch
        for take in outcome.result.takes[:1]:
            voice = VoiceIn(batch.engine, batch.voice.identity, batch.language)
            characters, seconds = said[voice]
            shortest = take.seconds - take.decay - spare(take.pauses, SHORTEST_PAUSE)
            said[voice] = characters + weight(line.spoken), seconds + shortest * line.speed
    return [
        Pace(**voice._asdict(), characters_per_second=round(characters / seconds, 2))
        for voice, (characters, seconds) in said.items()
        if characters >= ENOUGH
    ]


class Paces:
    """The stored paces; each is read once."""

    def __init__(self, storage: Storage) -> None:
        """Keep the storage; nothing is read yet."""
        self._storage = storage
        self._known: dict[VoiceIn, float | None] = {}

    def of(self, voices: Iterable[VoiceIn]) -> dict[VoiceIn, float]:
        """Return the measured paces of ``voices``, in characters a second."""
        wanted = list(dict.fromkeys(voices))
        missing = [voice for voice in wanted if voice not in self._known]
        self._known |= dict(zip(missing, each(self._load, missing), strict=True))
        return {voice: pace for voice in wanted if (pace := self._known[voice])}

    def _load(self, voice: VoiceIn) -> float | None:
        try:
            return stored(Pace, self._storage.get(voice.key), voice.key).characters_per_second
        except (NotFound, Damaged, NewerRelease):
            return None


def _keep(storage: Storage, pace: Pace) -> None:
    key = VoiceIn(pace.engine, pace.voice, pace.language).key
    storage.replace(key, pace.model_dump_json().encode())
