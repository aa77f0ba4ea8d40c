"""Proof of voice: what a voice sounds like, and which voice a line sounds like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from dubbing.media.samples import Audio, Samples
from dubbing.voices.speaker_encoder import Embeddings, encode, listen, unit, windows

ENOUGH = 2
"""Lines that are needed to tell what a voice without a reference sounds like."""
MARGIN = 0.05
"""How much nearer to a line another voice has to be. Among 6 eSpeak variants, whose lines differ in
pace, pitch and level, fewer than 1 in 100 is doubted wrongly, or is another's and not noticed."""
LISTENED = 8
"""Windows that are listened to, to tell a voice."""

TOGETHER = 32
"""Windows that are listened to at once."""

VoiceId = tuple[str, str]
"""An engine, and the identity of a voice: two engines make two voices even of one recording."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A line that was spoken."""

    id: str
    voice: VoiceId
    """The one that was to speak it."""
    sound: Embeddings
    """``(256,)``."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """How a line fits its voice."""

    similarity: float | None = None
    """To its voice; 1 is the same. None when that cannot be told."""
    sounds_like: VoiceId | None = None
    """The other voice that seems to speak it."""


def embed(audio: Audio) -> Embeddings | None:
    """Return what the voice in ``audio`` sounds like, ``(256,)``, however loud it is.

    None when there is too little speech to tell, or no speaker encoder.
    """
    heard = listen(audio, LISTENED)
    return None if heard is None else unit(heard.mean(axis=0))


class SpeakerListener:
    """Hear the lines of a programme, many at once. Several threads may have them hear a line."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Samples]] = []
        self._sounds: dict[str, Embeddings] = {}
        self._lock = Lock()

    def hear(self, id_: str, audio: Audio) -> None:
        """Take in a line, unless there is too little speech to tell, or no speaker encoder."""
        found = windows(audio, LISTENED)
        if found is None:
            return
        with self._lock:
            self._waiting.append((id_, found))
            if sum(len(waiting) for _, waiting in self._waiting) >= TOGETHER:
                self._listen()

    def sounds(self) -> dict[str, Embeddings]:
        """Return what each line that was heard sounds like, ``(256,)``, by its id."""
        with self._lock:
            self._listen()
        return self._sounds

    def _listen(self) -> None:
        if not self._waiting:
            return
        heard = encode(np.concatenate([waiting for _, waiting in self._waiting]))
        ends = np.cumsum([len(waiting) for _, waiting in self._waiting])
        for (id_, _), own in zip(self._waiting, np.split(heard, ends[:-1]), strict=True):
            self._sounds[id_] = unit(own.mean(axis=0))
        self._waiting.clear()


def compare(lines: Sequence[Heard], references: Mapping[VoiceId, Embeddings]) -> dict[str, Match]:
    """Return, by id, how each line fits its voice, and whether another of theirs fits it better.

    A cloned voice is known by its reference, any other by the rest of its lines. Like is compared
    with like: a line is held against the references of both voices, or against the lines of both.

    references: what those of cloned voices sound like.
    """
    voices = _Voices(lines, references)
    return {line.id: voices.match(line) for line in lines}


class _Voices:
    """What the voices of a programme sound like."""

    def __init__(self, lines: Sequence[Heard], references: Mapping[VoiceId, Embeddings]) -> None:
        self._references = references
        self._counts = Counter(line.voice for line in lines)
        self._sums = {voice: np.zeros_like(lines[0].sound) for voice in self._counts}
        for line in lines:
            self._sums[line.voice] += line.sound

    def match(self, line: Heard) -> Match:
        similarity = self._to_reference(line, line.voice)
        if similarity is None:
            similarity = self._to_lines(line, line.voice)
        others = [voice for voice in self._counts if voice != line.voice]
        lead, nearest = max(
            ((self._lead(line, voice), voice) for voice in others), default=(0, None)
        )
        return Match(similarity=similarity, sounds_like=nearest if lead > MARGIN else None)

    def _lead(self, line: Heard, other: VoiceId) -> float:
        """Return by how much another voice is nearer to a line than its own; 0 if unknown."""
        for near in (self._to_reference, self._to_lines):
            own, others = near(line, line.voice), near(line, other)
            if own is not None and others is not None:
                return others - own
        return 0.0

    def _to_reference(self, line: Heard, voice: VoiceId) -> float | None:
        reference = self._references.get(voice)
        return None if reference is None else float(line.sound @ reference)

    def _to_lines(self, line: Heard, voice: VoiceId) -> float | None:
        """Return how similar a line is to a voice's lines, itself left out."""
        itself = voice == line.voice
        if self._counts[voice] - itself < ENOUGH:
            return None
        rest = self._sums[voice] - line.sound if itself else self._sums[voice]
        return float(line.sound @ unit(rest))
