"""The counters of a worker's work, for metrics."""

from __future__ import annotations

from collections.abc import Sequence

from dubbing.errors import ErrorRecord, GivenUp
from dubbing.planning.plan import Kind
from dubbing.planning.result import BatchResult, SegmentResult
from dubbing.telemetry import metrics


def count_batch(engine: str, kind: Kind, result: BatchResult, seconds: float) -> None:
    """Count a batch and its lines. seconds: time of its process."""
    failed = result.failed or result.error
    metrics.BATCHES.add(engine, kind.value, "failed" if failed else "done")
    metrics.BUSY.add(engine, kind.value, by=seconds)
    if kind is Kind.EXTRACTION:
        count_error(engine, result.error)
        return
    count_lines(engine, result.segments)
    if spoken := result.spoken:
        metrics.BATCH_LINES.observe(spoken, engine)
        metrics.BATCH_PADDING.observe(result.padding, engine)
    if speech := _speech(result.segments):
        metrics.REAL_TIME_FACTOR.observe(seconds / speech, engine)


def count_lines(engine: str, lines: Sequence[SegmentResult]) -> None:
    """Count lines, including lines of interactive requests."""
    failed = sum(1 for line in lines if line.error)
    spoken = sum(1 for line in lines if line.attempts and not line.error)
    outcomes = {"spoken": spoken, "found": len(lines) - spoken - failed, "failed": failed}
    for outcome, count in outcomes.items():
        if count:
            metrics.LINES.add(engine, outcome, by=count)
    metrics.SPEECH.add(engine, by=_speech(lines))
    metrics.RETRIES.add(engine, by=sum(_retries(line) for line in lines))
    metrics.MISSPOKEN.add(engine, by=sum(line.refused for line in lines))
    for line in lines:
        count_error(engine, line.error)


def count_assembly(seconds: float, *, failed: bool) -> None:
    """Count an assembly. seconds: time of its process."""
    kind = Kind.ASSEMBLY.value
    metrics.BATCHES.add(kind, kind, "failed" if failed else "done")
    metrics.BUSY.add(kind, kind, by=seconds)


def count_error(engine: str, error: ErrorRecord | None) -> None:
    """Count the error of a line, a voice or a film, if it has one."""
    if error:
        metrics.ERRORS.add(engine, error.code)
        if error.code == GivenUp.code:
            metrics.GIVEN_UP.add(engine)


def _speech(lines: Sequence[SegmentResult]) -> float:
    """Return the seconds of the new takes."""
    return sum(take.seconds for line in lines if line.attempts for take in line.takes)


def _retries(line: SegmentResult) -> int:
    """Return the number of requests for a line beyond its takes."""
    return max(0, line.attempts - max(1, len(line.takes)))
