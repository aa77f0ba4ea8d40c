"""The outcome of every line of a job, over all its rounds."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from dubbing.documents import stored
from dubbing.engines.usage import EndpointUse, by_endpoint
from dubbing.errors import Damaged, EngineFailed, NotFound
from dubbing.planning.plan import Batch, Kind, PlannedLine, Reason, read_plan, read_round
from dubbing.planning.result import BatchResult, SegmentResult, unspoken
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.storage.parallel import each

log = logging.getLogger(__name__)

ROUND = re.compile(r"[1-9][0-9]{0,8}")
"""The name of a round's folder."""


class Outcome(NamedTuple):
    """A line, the round and batch in which it was spoken, and its result."""

    line: PlannedLine
    round: int
    batch: Batch
    result: SegmentResult
    lost: bool = False
    """Whether storage holds no result of its batch; then ``result`` is an error that says so."""
    tried: str = ""
    """The fallback engine that spoke it last, without a better take."""

    def or_better(self, later: Outcome) -> Outcome:
        """Return the outcome of a fallback, or this one.

        This one stays if its take has wrong words and the fallback has no take with right words.
        """
        if not self.result.misspoken or (later.result.takes and not later.result.misspoken):
            return later
        return self._replace(tried=later.batch.engine)


def load_result(storage: Storage, job_id: str, round_: int, batch: int) -> BatchResult | None:
    """Return the result of a batch, or None while storage holds none that can be read."""
    return _read(Keys.result(job_id, round_, batch), batch, _get(storage, job_id, round_, batch))


def _get(storage: Storage, job_id: str, round_: int, batch: int) -> bytes | None:
    try:
        return storage.get(Keys.result(job_id, round_, batch))
    except NotFound:
        return None


def _read(key: str, batch: int, data: bytes | None) -> BatchResult | None:
    if data is None:
        return None
    try:
        result = stored(BatchResult, data, key)
    except Damaged as exc:
        log.warning("taken for lost: %s", exc)
        return None
    if result.batch != batch:
        log.warning("%s is the result of batch %d, and taken for lost", key, result.batch)
        return None
    return result


def round_numbers(storage: Storage, job_id: str) -> list[int]:
    """Return the numbers of a job's rounds in order, including empty folders.

    Other programs put folders beside them, such as ``@eaDir`` or ``lost+found``.
    """
    names = storage.folders(Keys.rounds(job_id))
    return sorted(int(name) for name in names if ROUND.fullmatch(name))


class History(NamedTuple):
    """The outcome of a job over its rounds."""

    outcomes: dict[str, Outcome]
    """The outcome of each line, by segment id; the highest round that names a segment wins."""
    used: tuple[EndpointUse, ...]
    """The usage of engines over all rounds, including lines that were spoken again."""


def gather(storage: Storage, job: str, round_: int) -> dict[str, Outcome]:
    """Return the outcome of each line in the rounds up to ``round_``, as `history` does."""
    return history(storage, job, round_).outcomes


def history(storage: Storage, job: str, round_: int) -> History:
    """Return the outcome of a job in the rounds up to ``round_``.

    A line without a result gets an error. Raises NotFound when there is no such job.
    """
    rounds = [number for number in round_numbers(storage, job) if number <= round_]
    if not rounds:
        raise NotFound(f"storage holds no round of job {job!r} up to {round_}")
    outcomes: dict[str, Outcome] = {}
    used: list[EndpointUse] = []
    for number in rounds:
        reason, batches = _planned(storage, job, number)
        numbers = [batch.number for batch in batches]
        # Only the reads run in parallel: parsing threads would block each other.
        found = each(partial(_get, storage, job, number), numbers)
        results = [
            _read(Keys.result(job, number, batch), batch, data)
            for batch, data in zip(numbers, found, strict=True)
        ]
        later = _of_round(number, batches, results)
        if reason is Reason.FALLBACK:
            later = {id_: outcomes[id_].or_better(new) for id_, new in later.items()}
        outcomes |= later
        used += [use for result in results if result for use in result.used]
    return History(outcomes, by_endpoint(used))


def _planned(storage: Storage, job: str, round_: int) -> tuple[Reason | None, list[Batch]]:
    """Return the reason of a round, and its batches; none if it ended before it was planned."""
    key = Keys.plan(job, round_)
    try:
        plan = storage.get(key)
    except NotFound:
        return None, []
    return read_round(plan, key).reason, read_plan(plan, key)


def _of_round(
    round_: int, batches: list[Batch], results: Iterable[BatchResult | None]
) -> dict[str, Outcome]:
    by_number = {batch.number: result for batch, result in zip(batches, results, strict=True)}
    outcomes: dict[str, Outcome] = {}
    for batch in batches:
        if batch.kind is not Kind.SYNTHESIS:
            continue
        result = by_number[batch.number]
        spoken = {segment.id: segment for segment in result.segments} if result else {}
        needed = by_number.get(batch.needs) if batch.needs is not None else None
        for line in batch.lines:
            line_result = spoken.get(line.id) or _unspoken(line, batch, result, needed)
            outcomes[line.id] = Outcome(line, round_, batch, line_result, lost=result is None)
    return outcomes


def _unspoken(
    line: PlannedLine, batch: Batch, result: BatchResult | None, needed: BatchResult | None
) -> SegmentResult:
    """Return the result of a line that is missing from the result of its batch."""
    missing = EngineFailed("no result of this line was stored").to_record()
    error = (result and result.error) or (needed and needed.error) or missing
    return unspoken(line.id, batch.engine, line.seed, error)
