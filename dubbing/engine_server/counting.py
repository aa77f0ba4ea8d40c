"""The counts of calls and lines of a server's engines, for metrics."""

from __future__ import annotations

from collections.abc import Sequence

from dubbing.engines.engine import Spoken
from dubbing.errors import DubbingError
from dubbing.telemetry import metrics

SYNTHESIS = "synthesis"


def count_call(engine: str, results: Sequence[Spoken], seconds: float) -> None:
    """Count a call of an engine and its lines. seconds: how long it took."""
    errors = [one for one in results if isinstance(one, DubbingError)]
    speech = sum(one.seconds for one in results if not isinstance(one, DubbingError))
    metrics.BATCHES.add(engine, SYNTHESIS, "failed" if errors else "done")
    metrics.BUSY.add(engine, SYNTHESIS, by=seconds)
    metrics.LINES.add(engine, "spoken", by=len(results) - len(errors))
    metrics.LINES.add(engine, "failed", by=len(errors))
    metrics.SPEECH.add(engine, by=speech)
    metrics.BATCH_LINES.observe(len(results), engine)
    for error in errors:
        metrics.ERRORS.add(engine, error.code)
    if speech:
        metrics.REAL_TIME_FACTOR.observe(seconds / speech, engine)
