"""What became of a batch: ``jobs/<job>/rounds/<n>/results/<batch>.json``.

Assembly reads clip keys from here; nobody computes a key again.
"""

from __future__ import annotations

from dubbing.documents import Model
from dubbing.errors import ErrorRecord


class Take(Model):
    """One spoken version of a line."""

    key: str
    """Storage key of the clip."""
    speed: float
    """The engine's own speed that was asked, 1.0 being the speaker's natural pace."""
    seconds: float
    """Length of the clip, leading and trailing silence removed."""
    level: float
    """RMS of the clip in dBFS."""


class SegmentResult(Model):
    """What became of one line: one or two takes, or an error."""

    id: str
    takes: tuple[Take, ...] = ()
    """The first is at the speaker's natural pace; a second one is faster."""
    error: ErrorRecord | None = None
    """An error's record; then there are no takes."""
    engine: str
    model: str
    """Digest of the engine's model."""
    seed: int
    """The seed of the attempt that was kept, for two takes that of the first."""
    attempts: int
    """How often the engine was asked for it in this batch; 0 when every clip was there."""


def unspoken(id_: str, engine: str, seed: int, error: ErrorRecord) -> SegmentResult:
    """Return the result of a line that no engine was asked for, because of ``error``."""
    return SegmentResult(id=id_, error=error, engine=engine, model="", seed=seed, attempts=0)


class BatchResult(Model):
    """What became of every line of a batch; an extraction has an error or nothing."""

    batch: int
    worker: str
    segments: tuple[SegmentResult, ...] = ()
    error: ErrorRecord | None = None
    """Why an extraction failed; its lines fail with it."""

    @property
    def failed(self) -> int:
        """How many lines have no take."""
        return sum(1 for segment in self.segments if segment.error)

    @property
    def padding(self) -> float:
        """Share of the engine's work that went into padding, were the new lines spoken together."""
        seconds = [of.takes[0].seconds for of in self.segments if of.attempts and of.takes]
        return 1 - sum(seconds) / (len(seconds) * max(seconds)) if seconds else 0.0

    @property
    def spoken(self) -> int:
        """How many lines the engine was asked for."""
        return sum(1 for segment in self.segments if segment.attempts)
