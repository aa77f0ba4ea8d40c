"""The report of a job, ``report.json`` beside the outputs: the measured outcome of every line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from dubbing.assembly.timeline import Placement
from dubbing.documents import Identifier, Model
from dubbing.engines.usage import EndpointUse
from dubbing.errors import ErrorRecord
from dubbing.job import Job, JobState, Segment
from dubbing.media.probe import RATE
from dubbing.planning.outcome import Outcome
from dubbing.planning.result import WordsHeard
from dubbing.proof.speaker import Match
from dubbing.text.sounds import is_silent

REPORT = "report.json"
"""The name of the report."""
PAGE = "report.html"
"""The name of the report as a page. An older release does not know it, so no report names it."""
OUTPUT = (
    r"^(dub\.[a-z0-9]{1,10}|stems/[a-z0-9][a-z0-9-]{0,60}\.wav"
    r"|lines/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.flac)$"
)
"""The names of outputs, and of lines that are fetched before they are mixed. A stored report with
another name is damaged, so `fetch` writes no other file."""
MOST_HEARD = 100
"""Characters of the words heard that a warning shows."""
LOUDNESS_TOLERANCE = 1.0
"""LU by which speech and programme may miss their profile, in reports of earlier releases."""


class ReportLine(Model):
    """The outcome of one segment. A missing one has an ``error``, no clip and no actual times.

    A ``silent`` one has no error, and none of the fields about speech: engine, voice, clip.
    """

    id: str
    """The segment's id."""
    speaker: str
    text: str
    """The text as written and as subtitles show it."""
    spoken: str = ""
    """The text that was sent to the engine."""
    silent: bool = False
    """Whether it is left unspoken on purpose: it has no words, or only sounds and lyrics that the
    job leaves out."""
    round: int = 0
    """The round that spoke it; 0 when it is silent."""
    planned_start: float
    """Seconds from the film's first frame, as asked."""
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
    """Speed and stretch together: the natural take's real length, without what was cut, ÷ the
    length in the film."""
    overflow: float = 0.0
    """Seconds by which it exceeds its room: its own time and the silence after it."""
    characters_over: int = 0
    """How many characters too long the text is."""
    loudness: float | None = None
    """LUFS of the line alone, as mastered; None under 0.4 s."""
    similarity: float | None = None
    """Similarity to its voice; 1 is identical. A cloned voice is compared with its reference,
    any other with its other lines. None when there is too little to compare."""
    sounds_like: str | None = None
    """Identity of another voice of the cast, when the line sounds more like that one."""
    words: WordsHeard | None = None
    """The proof of its words: what was heard in the take, and whether that is what was asked for.
    None where the worker that spoke it had none."""
    takes_refused: int = 0
    """Takes of it that were dropped for wrong words in the round that spoke it."""
    attempts: int = 0
    """Number of requests to the engine for it in the round that spoke it."""
    seed: int = 0
    error: ErrorRecord | None = None
    """Why it could not be spoken."""
    note: str = ""
    """A note on an unusual outcome, with the reason; for a missing line, the sound in its place."""

    @property
    def doubtful(self) -> bool:
        """Whether a person should hear it.

        It is too long, may be in another voice, or it is not certain that it says its words.
        """
        wrong = self.words is not None and (self.misspoken or self.words.uncertain)
        return self.overflow > 0 or self.sounds_like is not None or bool(wrong)

    @property
    def misspoken(self) -> bool:
        """Whether other words were heard in it than its engine was asked for."""
        return self.words is not None and self.words.right is False

    @classmethod
    def of_silent(cls, segment: Segment) -> ReportLine:
        """Return the report line of a segment that has nothing to say."""
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


class ReportOutput(Model):
    """A file that was written."""

    name: Annotated[str, StringConstraints(pattern=OUTPUT)]
    key: str
    """Storage key."""
    bytes: int
    delivered_to: str | None = None
    """Its second place, by the job's ``output.to``: an ``s3://`` URL."""


class Loudness(Model):
    """The requested and the reached loudness."""

    profile: str
    target: float
    """LUFS of the speech."""
    ceiling: float
    """dBTP."""
    gain: float
    """Decibels applied to the background, before it is lowered under speech."""
    integrated: float | None
    """LUFS of the finished programme by BS.1770; None when it is silent."""
    true_peak: float | None
    """dBTP of the finished programme; None when it is silent."""
    tolerance: float = LOUDNESS_TOLERANCE
    """LU by which speech and programme may miss the profile."""
    speech: float | None = None
    """LUFS of the finished programme, measured while somebody speaks; None when nobody does."""
    distance: float | None = None
    """LU from a line down to the background under it: the least over all 0.4 s in which somebody
    speaks. None when nothing sounds under the speech."""
    distance_median: float | None = None
    """The median of these distances."""
    won: Literal["both", "speech"] = "both"
    """The part that meets the profile: speech and programme, or only the speech, if both could
    not."""


class Report(Model):
    """The result of one run of assembly for a job's round."""

    job: Identifier
    round: int
    state: JobState
    """Completed or failed."""
    language: str
    metadata: dict[str, str] = Field(default_factory=dict)
    """Notes of the caller's, as they came with the job."""
    request_id: Identifier | None = None
    """Id of the request over HTTP that asked for the last submission, revision or retry."""
    seconds: float | None = None
    """Length of the programme."""
    loudness: Loudness | None = None
    outputs: tuple[ReportOutput, ...] = ()
    renewed: tuple[str, ...] = ()
    """Ids of the lines spoken since the last submission, revision or retry, with its fallbacks and
    repairs; all other lines are as they were before."""
    used: tuple[EndpointUse, ...] = ()
    """The usage of engines over all rounds of the job, by endpoint."""
    lines: tuple[ReportLine, ...]
    """Every line of the job, in time order."""
    warnings: tuple[str, ...] = ()
    """What a person should look at: lines that are too long, missing, seem to say other words, may
    lack a word or sound like another voice of the cast, by id; and a loudness that misses the
    profile."""

    @property
    def missing(self) -> float:
        """Share of missing lines among those that have something to say."""
        asked = sum(1 for line in self.lines if not line.silent)
        # Division rounds like the share that a person writes; 0.29 × 100 would be under 29.
        return sum(1 for line in self.lines if line.error) / max(1, asked)

    @classmethod
    def unmixed(
        cls,
        job: Job,
        round_: int,
        outcomes: Mapping[str, Outcome],
        *,
        asked: int,
        request_id: str | None = None,
        used: Sequence[EndpointUse] = (),
        state: JobState = JobState.FAILED,
    ) -> Report:
        """Return what is known about a job's lines before mixing.

        asked: the first round whose lines count as renewed. request_id: as in `Report`.
        used: what the job used of engines.
        """
        lines = []
        for segment in sorted(job.segments, key=lambda segment: segment.start):
            if is_silent(job, segment):
                lines.append(ReportLine.of_silent(segment))
            elif segment.id in outcomes:
                lines.append(ReportLine.of(segment, outcomes[segment.id]))
        return cls(
            job=job.id,
            round=round_,
            state=state,
            language=job.language,
            metadata=job.metadata,
            request_id=request_id,
            renewed=tuple(line.id for line in lines if line.round >= asked),
            used=tuple(used),
            lines=tuple(lines),
        )


def warnings(lines: Sequence[ReportLine], loudness: Loudness) -> tuple[str, ...]:
    """Return the warnings about a programme."""
    texts = [f"line {line.id} {line.note}" for line in lines if line.characters_over or line.error]
    texts += _in_other_words(lines)
    texts += _in_other_voices(lines)
    texts += _of_loudness(loudness)
    return tuple(texts)


def _in_other_words(lines: Sequence[ReportLine]) -> Iterator[str]:
    unjudged: Counter[str] = Counter()
    for line in lines:
        if line.misspoken and line.words:
            heard = line.words.text[:MOST_HEARD] or "nothing"
            yield f"line {line.id} seems to say other words, {heard!r}: hear it"
        elif line.words and line.words.uncertain:
            words = ", ".join(map(repr, line.words.uncertain))
            yield f"it is not certain that line {line.id} says {words}: hear it"
        elif line.words and line.words.unjudged:
            unjudged[line.words.unjudged] += 1
    for why, count in unjudged.items():
        counted = "1 line" if count == 1 else f"{count} lines"
        yield f"the words of {counted} were not judged: {why}"


def _of_loudness(loudness: Loudness) -> Iterator[str]:
    if loudness.integrated is None:
        yield "the programme is silent"
    elif loudness.speech is not None and loudness.speech < loudness.target - loudness.tolerance:
        yield (
            f"the speech is at {loudness.speech:.1f} LUFS, not at {loudness.target:g}: its peaks "
            "are too high for more"
        )
    elif loudness.won == "speech":
        yield (
            f"the programme is at {loudness.integrated:.1f} LUFS, which its profile "
            f"{loudness.profile} does not allow: its speech comes first, and is at "
            f"{loudness.target:g}"
        )


def _in_other_voices(lines: Sequence[ReportLine]) -> Iterator[str]:
    speakers = {line.voice: line.speaker for line in reversed(lines)}
    for line in lines:
        if line.sounds_like:
            other = f"{speakers[line.sounds_like]} ({line.sounds_like})"
            yield f"line {line.id} of {line.speaker} ({line.voice}) sounds like {other}: hear it"
