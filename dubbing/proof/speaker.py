"""Proof of voice: how similar a line is to its voice, and which voice it sounds like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from dubbing.errors import MediaError
from dubbing.media.samples import Audio
from dubbing.voices.speaker_encoder import (
    BANDS,
    WINDOW,
    Embeddings,
    encode,
    listen,
    unit,
    windows,
)

ENOUGH = 2
"""Fewest lines that describe a voice without a reference."""
MARGIN = 0.05
"""Margin in similarity by which another voice has to be closer to a line. With it, of 180 lines at
several paces and levels, none is doubted wrongly, and of 900 lines in a wrong voice none is missed,
in programmes of 6 voices of Kokoro, of eSpeak, and of both with one of Piper
(`scripts/bench voices`)."""
LISTENED = 8
"""Most windows of a sound that are encoded."""

TOGETHER = 24
"""Lines whose windows are encoded at once."""

VoiceId = tuple[str, str]
"""An engine and the identity of a voice: two engines make two voices even from one recording."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A spoken line."""

    id: str
    voice: VoiceId
    """The voice that was requested for it."""
    sound: Embeddings
    """Embedding of the line, ``(256,)``."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """The fit of a line to its voice."""

    similarity: float | None = None
    """Cosine similarity to its own voice; 1 is identical. None when unknown."""
    sounds_like: VoiceId | None = None
    """The other voice that seems to speak it, if any."""


def embed(audio: Audio) -> Embeddings | None:
    """Return the embedding of the voice in ``audio``, ``(256,)``, independent of its loudness.

    None when there is too little speech to tell, or no speaker encoder.
    """
    heard = listen(audio, LISTENED)
    return None if heard is None else unit(heard.mean(axis=0))


class SpeakerListener:
    """Embeds the lines of a programme of any length, in bounded memory.

    `hear` adds a line, from any thread; `sounds` then encodes all lines. Until then, a file holds
    the lines' spectra: 25 kB for each 1.6 s of speech.
    """

    def __init__(self, path: Path) -> None:
        """Write the spectra to ``path``, in an existing folder."""
        self._path = path
        self._lines: list[tuple[str, int]] = []
        """Each line's id, and the number of its windows."""
        self._lock = Lock()

    def hear(self, id_: str, audio: Audio) -> None:
        """Add a line; skip it when there is too little speech to tell, or no encoder.

        Raises MediaError when the disk is full.
        """
        cut = windows(audio, LISTENED)
        if cut is None:
            return
        with self._lock:
            try:
                with self._path.open("ab") as file:
                    file.write(cut.tobytes())
            except OSError as exc:
                raise MediaError(f"{self._path.name}: {exc.strerror}") from exc
            self._lines.append((id_, len(cut)))

    def sounds(self, check: Callable[[], None] = lambda: None) -> dict[str, Embeddings]:
        """Return the embedding of each added line, ``(256,)``, by its id.

        check: called several times a second; it raises to stop the work.
        """
        sounds: dict[str, Embeddings] = {}
        if not self._lines:
            return sounds
        with self._path.open("rb") as file:
            for first in range(0, len(self._lines), TOGETHER):
                check()
                lines = self._lines[first : first + TOGETHER]
                counts = [count for _, count in lines]
                cut = np.fromfile(file, np.float32, sum(counts) * WINDOW * BANDS)
                heard = encode(cut.reshape(-1, WINDOW, BANDS))
                parts = np.split(heard, np.cumsum(counts)[:-1])
                for (id_, _), part in zip(lines, parts, strict=True):
                    sounds[id_] = unit(part.mean(axis=0))
        return sounds


def compare(lines: Sequence[Heard], references: Mapping[VoiceId, Embeddings]) -> dict[str, Match]:
    """Return, by id, how similar each line is to its voice, and whether another voice is closer.

    A reference represents a cloned voice; the other lines of a voice represent any other voice. A
    line is compared with the references of both voices, or with the lines of both.

    references: embeddings of the references of cloned voices, ``(256,)``.
    """
    voices = _Voices(lines, references)
    return {line.id: voices.match(line) for line in lines}


class _Voices:
    """The embeddings of a programme's voices."""

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
        """Return how much closer another voice is to a line than its own voice; 0 if unknown."""
        for near in (self._to_reference, self._to_lines):
            own, others = near(line, line.voice), near(line, other)
            if own is not None and others is not None:
                return others - own
        return 0.0

    def _to_reference(self, line: Heard, voice: VoiceId) -> float | None:
        reference = self._references.get(voice)
        return None if reference is None else float(line.sound @ reference)

    def _to_lines(self, line: Heard, voice: VoiceId) -> float | None:
        """Return how similar a line is to the other lines of a voice; None if they are too few."""
        itself = voice == line.voice
        if self._counts[voice] - itself < ENOUGH:
            return None
        rest = self._sums[voice] - line.sound if itself else self._sums[voice]
        return float(line.sound @ unit(rest))
