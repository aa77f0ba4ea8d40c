"""The events of a job, from the documents in storage."""

from __future__ import annotations

from collections.abc import Iterator

from dubbing.documents import Model
from dubbing.errors import Damaged, NewerRelease, NotFound
from dubbing.jobs.store import load_end, load_job, load_round
from dubbing.planning.outcome import load_result, round_numbers
from dubbing.planning.plan import Kind, read_refs
from dubbing.planning.result import BatchResult, SegmentResult
from dubbing.storage import Keys, Storage, each


class Event(Model):
    """An event of a job."""

    at: float
    """Seconds since 1970, by the clock of storage; of an end, by that of the worker."""
    round: int | None = None
    batch: int | None = None
    line: str | None = None
    worker: str = ""
    words: str
    trouble: bool = False
    """Whether something went wrong."""


def history(storage: Storage, job_id: str) -> list[Event]:
    """Return the events of a job, in order; raises NotFound, and Damaged for its request.

    An unreadable document of a round is an event of its own.
    """
    at = storage.modified(Keys.job(job_id))
    if at is None:
        raise NotFound(f"there is no job {job_id!r}")
    job = load_job(storage, job_id, 1)
    words = f"submitted: {len(job.segments)} lines in {job.language}"
    events = [Event(at=at, words=words)]
    for number in round_numbers(storage, job_id):
        events += _of_round(storage, job_id, number)
    # Events of the same moment stay in the order of their causes.
    return sorted(events, key=lambda event: event.at)


def _of_round(storage: Storage, job_id: str, number: int) -> Iterator[Event]:
    """Yield the events of a round."""
    plan = Keys.plan(job_id, number)
    begun = storage.modified(plan)
    if begun is not None:
        try:
            reason = load_round(storage, job_id, number).reason.value
            refs = read_refs(storage.get(plan), plan)
        except (Damaged, NewerRelease, NotFound) as exc:
            yield Event(at=begun, round=number, words=str(exc), trouble=True)
        else:
            lines = sum(ref.lines for ref in refs)
            batches = "1 batch" if len(refs) == 1 else f"{len(refs)} batches"
            words = f"round {number} ({reason}): {lines} lines in {batches}"
            yield Event(at=begun, round=number, words=words)
    yield from _of_results(storage, job_id, number)
    try:
        end = load_end(storage, job_id, number)
    except (Damaged, NewerRelease) as exc:
        yield Event(at=begun or 0.0, round=number, words=str(exc), trouble=True)
        return
    if end:
        words = f"round {number} ended: {end.state.value}"
        if end.failed:
            words += f", {end.failed} of {end.lines} lines without speech"
        if end.error:
            words += f": {end.error.message}"
        yield Event(at=end.at, round=number, words=words, trouble=bool(end.error or end.failed))


def _of_results(storage: Storage, job_id: str, number: int) -> Iterator[Event]:
    """Yield the outcomes of the batches of a round."""
    times = storage.times(Keys.results(job_id, number))
    names = {key: key.rpartition("/")[2].removesuffix(".json") for key in times}
    # Other programs put files beside the results.
    batches = {key: int(name) for key, name in names.items() if name.isdecimal()}

    def load(batch: int) -> BatchResult | None:
        return load_result(storage, job_id, number, batch)

    for (key, batch), result in zip(batches.items(), each(load, batches.values()), strict=True):
        if result is None:
            words = f"the result of batch {batch} cannot be read: its lines are asked for again"
            yield Event(at=times[key], round=number, batch=batch, words=words, trouble=True)
        else:
            yield from _of_result(number, times[key], result)


def _of_result(number: int, at: float, result: BatchResult) -> Iterator[Event]:
    """Yield the outcome of a batch, and of each of its lines that failed or needed more tries."""
    batch = {"at": at, "round": number, "batch": result.batch, "worker": result.worker}
    if not result.segments:
        what = result.error.message if result.error else "done"
        words = f"batch {result.batch}, {Kind.EXTRACTION.value} of a voice: {what}"
        yield Event(**batch, words=words, trouble=bool(result.error))
        return
    yield Event(**batch, words=f"batch {result.batch}: {result.words}", trouble=result.failed > 0)
    for segment in result.segments:
        if words := _trouble_of(segment):
            yield Event(**batch, line=segment.id, words=words, trouble=bool(segment.error))


def _trouble_of(segment: SegmentResult) -> str:
    """Return the trouble with a line; ``""`` if its first take was good."""
    attempts = f" after {segment.attempts} attempts" if segment.attempts > 1 else ""
    if segment.error:
        return f"line {segment.id}: {segment.error.message} ({segment.error.code}){attempts}"
    if segment.refused:
        return f"line {segment.id}: {segment.refused} takes were refused for their words{attempts}"
    return f"line {segment.id}: spoken{attempts}" if attempts else ""
