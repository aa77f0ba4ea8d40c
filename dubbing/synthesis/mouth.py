"""Calls of the engine for one batch: asks become lines, and a failed call is halved."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from dubbing.engines.engine import Engine, Line, Spoken, VoiceForm
from dubbing.errors import (
    DubbingError,
    EngineAway,
    EngineFailed,
    QueueUnavailable,
    Stopped,
    StorageUnavailable,
)
from dubbing.media.samples import Audio, trim
from dubbing.planning.plan import Batch
from dubbing.synthesis.ask import Ask
from dubbing.telemetry.tracing import span
from dubbing.text.characters import speakable
from dubbing.text.sentences import split

log = logging.getLogger(__name__)

SEED_STRIDE = 1009
"""Difference between the seeds of two successive attempts."""
PART = 0.6
"""Length of a part of a line that is spoken in parts, as a share of the line's."""
PAUSE = 0.15
"""Seconds between two parts."""
HANDED_BACK = (EngineAway, Stopped, StorageUnavailable, QueueUnavailable)
"""Errors of an engine that are no line's fault: the batch is handed back, and keeps its clips."""


class Mouth:
    """An engine in the voice of one batch."""

    def __init__(
        self,
        engine: Engine,
        batch: Batch,
        voice: str | VoiceForm,
        emotion_voice: VoiceForm | None,
        speaking: AbstractContextManager[object],
    ) -> None:
        """Keep the common parts of all lines. speaking: entered for each call of the engine."""
        self._engine = engine
        self._batch = batch
        self._voice = voice
        self._emotion_voice = emotion_voice
        self._speaking = speaking
        self.spoke = 0.0
        """Seconds that the calls took."""

    def line(self, ask: Ask, attempt: int) -> Line:
        """Return the line to send to the engine. attempt: from 0 on; each has its own seed."""
        return Line(
            text=ask.line.spoken,
            language=self._batch.language,
            voice=self._voice,
            base_voice=(self._batch.voice.stock or "") if self._batch.voice.base else "",
            speed=round(ask.line.speed * ask.speed, 4),
            pitch=ask.line.pitch,
            style=ask.line.style,
            emotion=ask.line.emotion,
            emotion_voice=self._emotion_voice,
            seed=ask.line.seed + attempt * SEED_STRIDE,
        )

    def say(self, lines: Sequence[Line], check: Callable[[], None]) -> Iterator[Spoken]:
        """Speak lines together; halve a call that fails until the faulty line stands alone.

        Yields the results of each call before the next call, so that they are kept in any case.
        check: called between two calls; raises unless the work is still needed.
        """
        name = self._engine.spec.name
        try:
            spoken = self._timed(lines)
        except HANDED_BACK:
            raise
        except DubbingError as exc:
            error: DubbingError = exc
        except Exception as exc:  # noqa: BLE001 - an engine may raise anything; it is reported
            error = EngineFailed(f"{type(exc).__name__}: {exc}")
        else:
            if len(spoken) == len(lines):
                yield from spoken
                return
            error = EngineFailed(f"{name} returned {len(spoken)} results for {len(lines)} lines")
        log.warning("%s failed on %d lines: %s", name, len(lines), error)
        if len(lines) == 1:
            yield error
            return
        check()
        middle = len(lines) // 2
        yield from self.say(lines[:middle], check)
        yield from self.say(lines[middle:], check)

    def say_alone(self, line: Line, check: Callable[[], None]) -> Spoken:
        """Speak one line."""
        (spoken,) = self.say([line], check)
        return spoken

    def say_in_parts(self, line: Line, check: Callable[[], None]) -> Spoken:
        """Speak a line as its sentences, or as two or three parts; return them as one sound.

        No word is cut, so a line of one word has one part. Returns the error of the first part that
        has one.
        """
        longest = max(1, int(len(line.text) * PART))
        texts = filter(speakable, split(line.text, line.language, longest, whole_words=True))
        parts: list[Audio] = []
        for spoken in self.say([replace(line, text=text) for text in texts], check):
            if not isinstance(spoken, Audio):
                return spoken
            parts.append(spoken)
        rate = parts[0].rate
        pause = np.zeros(round(PAUSE * rate), np.float32)
        sounds = [sound for part in parts for sound in (pause, trim(part).samples)]
        return Audio(samples=np.concatenate(sounds[1:]), rate=rate)

    def _timed(self, lines: Sequence[Line]) -> Sequence[Spoken]:
        with self._speaking, span("speak", engine=self._engine.spec.name, lines=len(lines)):
            began = time.monotonic()
            try:
                return self._engine.synthesize(lines)
            finally:
                self.spoke += time.monotonic() - began
