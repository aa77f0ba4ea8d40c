"""A line of the report: the measured outcome of one segment."""

from __future__ import annotations

from typing import Any

from dubbing.assembly.timeline import Placement
from dubbing.documents import Model
from dubbing.errors import ErrorRecord
from dubbing.job import Segment
from dubbing.media.probe import RATE
from dubbing.planning.outcome import Outcome
from dubbing.planning.result import WordsHeard
from dubbing.proof.speaker import Match


class ReportLine(Model):
    """The outcome of one segment.

    A missing line has an ``error``, but no clip and no actual times. A ``silent`` line has neither
    an error nor any of the fields about speech: engine, voice, clip.
    """

    id: str
    """The segment's id."""
    speaker: str
    text: str
    """The text as written and as subtitles show it."""
    spoken: str = ""
    """The text that was sent to the engine."""
    silent: bool = False
    """Whether it is not to be spoken: it has no words, or only sounds and lyrics that the job
    leaves out."""
    round: int = 0
    """The round that spoke it; 0 for a silent line."""
    planned_start: float
    """Seconds from the film's first frame, as requested."""
    planned_end: float
    actual_start: float | None = None
    """Seconds from the film's first frame, as mixed."""
    actual_end: float | None = None
    drift: float | None = None
    """Actual start minus planned start, in seconds."""
    engine: str = ""
    model: str = ""
    """Digest of the engine's model."""
    voice: str = ""
    """Identity of the voice."""
    clip: str | None = None
    """Storage key of the clip that is heard."""
    take: int | None = None
    """Index of the take that is heard; take 0 is at the natural pace."""
    speed: float | None = None
    """The engine's speed setting for that take; 1.0 is the speaker's natural pace."""
    pauses_cut: float = 0.0
    """Seconds by which the pauses of that take, and the decay at its end, were shortened."""
    stretch: float | None = None
    """Time-stretch of that take; above 1 is faster."""
    rate: float | None = None
    """Speed and stretch together: the length of the natural take after cuts ÷ the length in the
    film."""
    overflow: float = 0.0
    """Seconds by which it exceeds its room: its own time and the silence after it."""
    characters_over: int = 0
    """Number of characters by which the text is too long."""
    loudness: float | None = None
    """LUFS of the line alone, as mastered; None for a line under 0.4 s."""
    similarity: float | None = None
    """Similarity to its voice; 1 is identical. A cloned voice is compared with its reference,
    any other with its other lines. None if there is too little speech to compare."""
    sounds_like: str | None = None
    """Identity of another voice of the cast, if the line sounds more like that one."""
    words: WordsHeard | None = None
    """The proof of its words: the words heard in the take, compared with the requested words. None
    if its worker did not judge words."""
    takes_refused: int = 0
    """Number of takes that were dropped for wrong words, in the round that spoke it."""
    attempts: int = 0
    """Number of requests to the engine for it in the round that spoke it."""
    seed: int = 0
    error: ErrorRecord | None = None
    """Why it could not be spoken."""
    note: str = ""
    """A note on an unusual outcome, with the reason; for a missing line, the sound in its place."""

    @property
    def doubtful(self) -> bool:
        """Whether a person should hear it: it is too long, or its voice or words may be wrong."""
        wrong = self.words is not None and (self.misspoken or self.words.uncertain)
        return self.overflow > 0 or self.sounds_like is not None or bool(wrong)

    @property
    def misspoken(self) -> bool:
        """Whether wrong words were heard in it."""
        return self.words is not None and self.words.right is False

    @classmethod
    def of_silent(cls, segment: Segment) -> ReportLine:
        """Return the report line of a silent segment."""
        return cls(
            id=segment.id,
            speaker=segment.speaker,
            text=segment.text,
            silent=True,
            planned_start=segment.start,
            planned_end=segment.end,
        )

    @classmethod
    def of(
        cls,
        segment: Segment,
        outcome: Outcome,
        placement: Placement | None = None,
        loudness: float | None = None,
        note: str = "",
        match: Match = Match(),  # noqa: B008 - it cannot be changed
    ) -> ReportLine:
        """Return the report line of a segment; without a ``placement`` it was not mixed."""
        result = outcome.result
        mixed = _mixed(segment, outcome, placement) if placement else {}
        return cls(
            id=segment.id,
            speaker=segment.speaker,
            text=segment.text,
            spoken=outcome.line.spoken,
            round=outcome.round,
            planned_start=segment.start,
            planned_end=segment.end,
            engine=result.engine,
            model=result.model,
            voice=outcome.batch.voice.identity,
            loudness=loudness,
            similarity=match.similarity,
            sounds_like=match.sounds_like and match.sounds_like[1],
            takes_refused=result.refused,
            attempts=result.attempts,
            seed=result.seed,
            error=result.error,
            note="; ".join(part for part in (note, _of_fallback(outcome)) if part),
            **mixed,
        )


def _of_fallback(outcome: Outcome) -> str:
    return f"its fallback {outcome.tried} did not say it better" if outcome.tried else ""


def _mixed(segment: Segment, outcome: Outcome, placement: Placement) -> dict[str, Any]:
    take = outcome.result.takes[placement.take]
    start = placement.frame / RATE
    return {
        "actual_start": start,
        "actual_end": start + placement.seconds,
        "drift": start - segment.start,
        "clip": take.key,
        "words": take.words,
        "take": placement.take,
        "speed": take.speed,
        "pauses_cut": round(sum(end - start for start, end in placement.cuts), 6),
        "stretch": placement.stretch,
        "rate": placement.rate,
        "overflow": placement.overflow,
        "characters_over": placement.characters_over,
    }
