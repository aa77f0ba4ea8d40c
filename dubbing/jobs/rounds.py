"""Rounds: starting a job, restoring it after Redis forgot it, and ending it.

Submission and rebuild are the same step, plan − results, so the rare path is also the usual one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from dubbing.documents import stored
from dubbing.engines.engine import EngineSpec
from dubbing.engines.published import published_specs
from dubbing.errors import Damaged, NewerRelease, NotFound
from dubbing.job import Job
from dubbing.jobs import index
from dubbing.jobs.store import End, latest_round, load_end, load_job, newest_round
from dubbing.jobs.usage import account
from dubbing.ledger import Ledger
from dubbing.planning.casting import cast_lines
from dubbing.planning.outcome import load_result
from dubbing.planning.plan import (
    BatchRef,
    CastLine,
    Kind,
    Reason,
    Round,
    plan_round,
    read_refs,
    read_round,
    write_plan,
)
from dubbing.planning.result import BatchResult
from dubbing.queue import Publisher
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.storage.parallel import each
from dubbing.telemetry.context import request_id
from dubbing.webhooks.outbox import Outbox
from dubbing.webhooks.webhook import Happening

if TYPE_CHECKING:
    from dubbing.text.wording import Wording

log = logging.getLogger(__name__)

Specs = Mapping[str, EngineSpec]
PlanFirst = Callable[[Storage, Job], None]


def create_round(
    storage: Storage,
    job: Job,
    number: int,
    round_: Round,
    lines: Iterable[CastLine],
    specs: Specs | None = None,
) -> bool:
    """Write the plan that speaks ``lines``; return False if the round was already planned.

    specs: result of `published_specs`, from a caller that has read it for several jobs.
    """
    batches = plan_round(lines, job.language, specs or published_specs(storage))
    storage.create(Keys.open(job.id), b"")
    return storage.create(Keys.plan(job.id, number), write_plan(round_, batches))


def create_first_round(
    storage: Storage, job: Job, specs: Specs | None = None, wording: Wording | None = None
) -> None:
    """Enter a job in the index, and write the plan that speaks all of its lines.

    specs: as in `create_round`. wording: as in `cast_lines`.
    """
    # In this order: a process that finds no plan does both.
    index.enter(storage, job.id)
    specs = specs or published_specs(storage)
    lines = cast_lines(job, job.segments, specs, wording=wording)
    first = Round(reason=Reason.SUBMIT, asked=1, request_id=request_id())
    create_round(storage, job, 1, first, lines, specs)


def put_to_work(
    storage: Storage, ledger: Ledger, job: Job, plan_first: PlanFirst = create_first_round
) -> set[str]:
    """Enter in the ledger all batches of a job's newest round without a stored result.

    job: its request, of any round. plan_first: writes the first round of a job without a
    plan: it was just stored, or its submission broke off.

    Returns the queues that may have new work. A round that ended stays ended.
    """
    round_, end = newest_round(storage, job.id)
    if round_ == 0:
        round_ = 1
        plan_first(storage, job)
        # The job may have been cancelled meanwhile.
        end = load_end(storage, job.id, round_)
    elif end is None:
        storage.create(Keys.open(job.id), b"")
    if end:
        _close(storage, ledger, job.id, end)
        return set()
    if round_ > 1:
        # A revision may have changed the job that the caller holds.
        job = load_job(storage, job.id, round_)
    key = Keys.plan(job.id, round_)
    plan = storage.get(key)
    refs = read_refs(plan, key)
    results = _results(storage, job.id, round_, refs)
    ledger.open_round(
        job,
        round_,
        refs,
        results={number: result.failed for number, result in results.items()},
        others=len(job.segments) - sum(ref.lines for ref in refs),
        request_id=read_round(plan, key).request_id,
    )
    return {ref.queue for ref in refs} | {Kind.ASSEMBLY.value}


def start(
    storage: Storage,
    ledger: Ledger,
    publisher: Publisher,
    job: Job,
    plan_first: PlanFirst = create_first_round,
) -> None:
    """Start a job, and send as many messages as its queues have room for.

    plan_first: as in `put_to_work`.
    """
    publisher.fill(sorted(put_to_work(storage, ledger, job, plan_first)))


def end_round(storage: Storage, ledger: Ledger, job_id: str, end: End) -> End:
    """End a round unless it has ended already; return its actual end."""
    key = Keys.end(job_id, end.round)
    if not storage.create(key, end.model_dump_json().encode()):
        try:
            end = stored(End, storage.get(key), key)
        except Damaged:
            # The end of the round is unknown, and without an end no job can be cancelled.
            storage.replace(key, end.model_dump_json().encode())
    _close(storage, ledger, job_id, end)
    return end


def _close(storage: Storage, ledger: Ledger, job_id: str, end: End) -> None:
    """Record a stored end in the ledger, and unmark the job, unless a newer round is open."""
    # The mark is removed last: until then, a reconciler finishes an interrupted end.
    ledger.end(job_id, end.round, end.state)
    with suppress(NotFound, Damaged, NewerRelease):
        job = load_job(storage, job_id, end.round)
        account(storage, job, end)
        _announce(storage, job.tenant, job_id, end)
    storage.delete(Keys.open(job_id))
    newest = latest_round(storage, job_id)
    if newest and load_end(storage, job_id, newest) is None:
        storage.create(Keys.open(job_id), b"")


def _announce(storage: Storage, tenant: str, job_id: str, end: End) -> None:
    """Announce the end of a job to the webhooks of its tenant."""
    if next(storage.keys(Keys.WEBHOOKS), None) is None:
        return
    event = Happening(f"job.{end.state.value}")
    Outbox(storage).announce(tenant, event, job_id, end.round, end.at)


def _results(
    storage: Storage, job_id: str, round_: int, refs: Iterable[BatchRef]
) -> dict[int, BatchResult]:
    """Return the stored, readable results by the number of their batch."""
    keys = {Keys.result(job_id, round_, ref.number): ref.number for ref in refs}
    numbers = [keys[key] for key in storage.keys(Keys.results(job_id, round_)) if key in keys]
    results = each(partial(load_result, storage, job_id, round_), numbers)
    return {number: result for number, result in zip(numbers, results, strict=True) if result}
