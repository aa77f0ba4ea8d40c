"""The result of a batch: ``jobs/<job>/rounds/<n>/results/<batch>.json``.

Assembly reads clip keys from here; no code computes a key again.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from dubbing.documents import Document, Model
from dubbing.engines.usage import EndpointUse
from dubbing.errors import ErrorRecord

CLIP = r"^clips/[A-Za-z0-9][A-Za-z0-9._-]?/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.flac$"
"""The storage key of a clip."""


class WordsHeard(Model):
    """The words that a recogniser heard in a take, compared with the requested words."""

    text: str = ""
    """The words heard."""
    errors: float = 0.0
    """Letters that were heard differently, as a share of the requested letters."""
    evidence: float | None = None
    """Evidence for the requested words that are the least certain: the natural logarithm of the
    likelihood ratio of the text to a rival text, without these words or with the heard ones, less a
    part of the same ratio without sound. None without rival texts."""
    uncertain: tuple[str, ...] = ()
    """The requested words of which it is uncertain whether they were said."""
    right: bool | None = None
    """Whether these are the requested words; None if that was not judged, or is uncertain."""
    unjudged: str = ""
    """Reason why the words were not judged; empty if they were."""


class Take(Model):
    """One spoken version of a line."""

    key: Annotated[str, StringConstraints(pattern=CLIP)]
    """Storage key of the clip."""
    speed: float
    """The requested speed of the engine, 1.0 being the speaker's natural pace."""
    seconds: float
    """Length of the clip, without leading and trailing silence."""
    level: float
    """RMS of the clip in dBFS."""
    pauses: tuple[tuple[float, float], ...] = ()
    """Start and end, in seconds of the clip, of each pause inside it; none in results of older
    releases."""
    decay: float = 0.0
    """Length of the decay at its end, in seconds; 0 in results of older releases."""
    digest: str = ""
    """SHA-256 of the stored clip; empty in results of older releases."""
    words: WordsHeard | None = None
    """The proof of its words; None if its worker proves no words."""

    @property
    def misspoken(self) -> bool:
        """Whether wrong words were heard in it."""
        return self.words is not None and self.words.right is False


class SegmentResult(Model):
    """The result of one line: one or two takes, or an error."""

    id: str
    takes: tuple[Take, ...] = ()
    """The first is at the speaker's natural pace; a second one is faster."""
    error: ErrorRecord | None = None
    """Why the line has no takes."""
    engine: str
    model: str
    """Digest of the engine's model."""
    seed: int
    """Seed of the attempt that was kept; with two takes, that of the first."""
    attempts: int
    """Number of requests to the engine for it in this batch; 0 if every clip existed."""
    refused: int = 0
    """Number of takes that were refused for wrong words."""

    @property
    def misspoken(self) -> bool:
        """Whether its best take has wrong words."""
        return bool(self.takes) and self.takes[0].misspoken


def unspoken(id_: str, engine: str, seed: int, error: ErrorRecord) -> SegmentResult:
    """Return the result of a line that was not sent to an engine, because of ``error``."""
    return SegmentResult(id=id_, error=error, engine=engine, model="", seed=seed, attempts=0)


class BatchResult(Document):
    """The results of every line of a batch; an extraction has an error or nothing."""

    batch: int
    worker: str
    segments: tuple[SegmentResult, ...] = ()
    error: ErrorRecord | None = None
    """Why an extraction failed; its lines fail with it."""
    used: tuple[EndpointUse, ...] = ()
    """Its usage of the engine; empty in results of older releases."""

    @property
    def failed(self) -> int:
        """Number of lines without a take."""
        return sum(1 for segment in self.segments if segment.error)

    @property
    def padding(self) -> float:
        """Share of the engine's work that is padding, if the new lines were spoken together."""
        seconds = [line.takes[0].seconds for line in self.segments if line.attempts and line.takes]
        return 1 - sum(seconds) / (len(seconds) * max(seconds)) if seconds else 0.0

    @property
    def spoken(self) -> int:
        """Number of lines that were sent to the engine."""
        return sum(1 for segment in self.segments if segment.attempts)

    @property
    def words(self) -> str:
        """The result in a few words, for a log."""
        return (
            f"{len(self.segments)} lines, {self.spoken} spoken, {self.failed} failed, "
            f"{self.padding:.0%} padding"
        )
