"""Jobs for ledger tests, as bare batches, and a worker's steps on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from dubbing.job import Job, JobState
from dubbing.ledger import Address, Claim, Ledger, Standing, WorkerRecord, WorkerState
from dubbing.planning.plan import BatchRef
from dubbing.queue import broker_lists

QUEUE = "synthesis.tone"
EXTRACTION = "extraction.tone"


def job(id_: str = "j", tenant: str = "t") -> Job:
    return Job(id=id_, language="en", tenant=tenant)


def refs(
    count: int, *, queue: str = QUEUE, needs: int | None = None, first: int = 0
) -> list[BatchRef]:
    """Return ``count`` batches, numbered from ``first``."""
    return [
        BatchRef(
            number=n, offset=100 * n, length=100, queue=queue, lines=2, deadline=60, needs=needs
        )
        for n in range(first, first + count)
    ]


def record(
    slots: int = 1,
    name: str = "w@h",
    queues: tuple[str, ...] = (QUEUE, EXTRACTION, "assembly"),
) -> WorkerRecord:
    return WorkerRecord(
        name=name, engines=("tone",), queues=queues, slots=slots, state=WorkerState.READY
    )


def take(ledger: Ledger, queue: str = QUEUE) -> list[Address]:
    return ledger.take({queue: broker_lists(queue)})


def depth(ledger: Ledger, broker_lists: Sequence[str]) -> int:
    """Return the number of messages in some of the broker's lists."""
    return ledger.queue_depths({"": broker_lists})[""]


def numbers(taken: Sequence[Address]) -> list[tuple[str, int | None]]:
    return [(at.job, at.number) for at in taken]


def claim(ledger: Ledger, at: Address, owner: str) -> Claim:
    """Claim the batch that a message names, or another one; return the answer alone."""
    return ledger.claim(at, owner)[0]


def begin(ledger: Ledger, at: Address, ids: Sequence[str], owner: str = "a") -> list[int] | None:
    """Begin a batch; return how often each line was begun before."""
    counts = ledger.begin(at, owner, ids, broker_lists(at.queue)).counts
    return None if counts is None else [*counts.values()]


def deliveries(ledger: Ledger, job: str, *ids: str) -> list[int]:
    """Return how often each line was begun and not finished."""
    with ledger._server.commands() as redis:
        return [int(count or 0) for count in redis.hmget(f"dubbing:job:{job}:deliveries", ids)]


def take_and_claim(ledger: Ledger, queue: str = QUEUE, owner: str = "a") -> list[Address]:
    """Take all batches of a queue, claiming each at once, as free workers do."""
    taken = []
    while batches := take(ledger, queue):
        for at in batches:
            assert claim(ledger, at, owner) is Claim.RUN
        taken += batches
    return taken


def work_off(ledger: Ledger, published: Sequence[Address] = ()) -> list[Address]:
    """Do all waiting batches, as one slot that is never idle; return them in order.

    published: batches that were taken before.
    """
    begun = []
    queue = deque([*published, *take(ledger)])
    while queue:
        at = queue.popleft()
        assert claim(ledger, at, "w") is Claim.RUN
        begun.append(at)
        complete(ledger, at)
        queue += take(ledger)
    return begun


def complete(ledger: Ledger, at: Address, failed: int = 0) -> list[str] | None:
    return ledger.complete(at, ["1", "2"], failed)


def standings(ledger: Ledger, id_: str) -> Sequence[Standing]:
    known = ledger.standings.snapshot(id_)
    return known.standings if known else []


def snapshot(ledger: Ledger, id_: str = "j") -> tuple[JobState, int, int, int]:
    known = ledger.standings.snapshot(id_)
    assert known
    return known.state, known.done, known.failed, known.closed
