"""The steps of work in the ledger; the docstring of the package lists the keys."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from types import MappingProxyType
from typing import Any

from dubbing.documents import is_identifier
from dubbing.job import Job, JobState
from dubbing.ledger.accounts import Accounts
from dubbing.ledger.crew import Crew
from dubbing.ledger.events import Events
from dubbing.ledger.gauges import Gauges
from dubbing.ledger.probe import probe
from dubbing.ledger.records import PREFIX, SCANNED_AT_ONCE, Address, Audit, Begun, Claim
from dubbing.ledger.requests import Requests
from dubbing.ledger.server import Call, Server
from dubbing.ledger.servers import Servers
from dubbing.ledger.sessions import Sessions
from dubbing.ledger.slots import Slots
from dubbing.ledger.standings import Standings
from dubbing.ledger.totals import Totals
from dubbing.planning.plan import BatchRef

log = logging.getLogger(__name__)

LEASE_SECONDS = 6.0
"""Time after which a lease that is not renewed ends: its worker is gone."""
GRACE_SECONDS = 10.0
"""Time after which a message that is neither in the broker nor claimed counts as lost."""


class Ledger:
    """State in Redis. Safe to use from several threads.

    lease: seconds after which a lease ends unless it is renewed.
    grace: seconds after which a message that nobody holds is sent again.
    """

    def __init__(
        self, url: str, *, lease: float = LEASE_SECONDS, grace: float = GRACE_SECONDS
    ) -> None:
        self.lease = lease
        self._grace = grace
        self._server = Server(url)
        self.accounts = Accounts(self._server)
        self.crew = Crew(self._server)
        self.events = Events(self._server)
        self.gauges = Gauges(self._server)
        self.requests = Requests(self._server)
        self.servers = Servers(self._server)
        self.sessions = Sessions(self._server)
        self.standings = Standings(self._server)
        self.totals = Totals(self._server)

    def greet(self, *, patient: bool = True) -> None:
        """Raise QueueRefused or QueueUnavailable unless Redis answers within seconds.

        Other calls wait longer, for a restart of Redis.
        patient: whether to wait if nobody listens there, because Redis may just be starting.
        """
        self._server.greet(patient=patient)

    def answers(self) -> bool:
        """Whether Redis answers within a second; for callers that can work without it."""
        return self._server.answers()

    def slots(self, process: str) -> Slots:
        """Return the slots of endpoints, for a process of this name."""
        return Slots(self._server, process)

    @property
    def place(self) -> str:
        """The URL of this Redis, without its password."""
        return self._server.place

    def installation(self) -> str | None:
        """Return the id of the installation that this Redis serves, or None."""
        with self._server.commands() as redis:
            found: str | None = redis.get(f"{PREFIX}installation")  # type: ignore[assignment]
        return found

    def join(self, id_: str) -> str | None:
        """Assign this Redis to an installation, unless it has one; return its installation."""
        if (found := self.installation()) is not None:
            return found
        with self._server.commands() as redis:
            redis.set(f"{PREFIX}installation", id_, nx=True)
        return self.installation()

    def check_writable(self, *, consume: bool = False) -> str:
        """Return a caution about the settings of Redis, or ``""``; raises as `probe` does."""
        return probe(self._server, consume=consume)

    def open_round(
        self,
        job: Job,
        round_: int,
        refs: Sequence[BatchRef],
        *,
        results: Mapping[int, int] = MappingProxyType({}),
        others: int = 0,
        request_id: str | None = None,
    ) -> bool:
        """Enter all missing batches of a round; return whether there were any.

        Batches in progress are kept. A round that has ended, or that a newer one has replaced, is
        left unchanged.

        results: the number of failed lines of each batch with a stored result, by batch number.
        others: number of lines of the job that this round leaves unchanged.
        request_id: id of the request over HTTP that asked for the round.
        """
        batches = [
            "" if field is None else field
            for ref in refs
            for field in (
                *(ref.number, ref.queue, ref.token, ref.needs, ref.lines),
                results.get(ref.number),
            )
        ]
        lines = sum(ref.lines for ref in refs) + others
        head = [job.id, round_, job.tenant, job.length, lines, others, request_id or ""]
        return bool(self._server.run("open", *head, *batches))

    def audit(self, jobs: Sequence[str]) -> list[Audit]:
        """Return for each job whether its entries add up to its batches."""
        return [Audit(answer) for answer in self._server.run("audit", *jobs)]

    def at_work(self, queues: Iterable[str]) -> set[str]:
        """Return the jobs that have work on these queues: batches, or remaining lines."""
        return set(filter(is_identifier, self._server.run("at_work", *queues)))

    def take(self, lists: Mapping[str, Sequence[str]]) -> list[Address]:
        """Choose the batches to publish on queues now: tenants in turn, then jobs in turn.

        lists: the broker's lists of each queue. The caller publishes the returned batches.
        """
        answers = self._server.run_all([self._taking(queue, of) for queue, of in lists.items()])
        return [
            at for queue, answer in zip(lists, answers, strict=True) for at in _taken(queue, answer)
        ]

    def claim(self, at: Address, owner: str, *, held: bool = False) -> tuple[Claim, Address]:
        """Claim the batch of an arrived message, and start its lease.

        A message stands for any batch of its queue: if the named batch is taken, a waiting one is
        claimed. held: whether the owner already holds the named batch.
        """
        mine = int(held)
        answer = self._server.run("claim", *_head(at), owner, self.lease, at.deadline, mine)
        claim, *batch = answer
        return Claim(claim), _address(batch[0], at.queue) if batch else at

    def begin(
        self,
        at: Address,
        owner: str,
        ids: Sequence[str],
        lists: Sequence[str],
        *,
        following: Address | None = None,
    ) -> Begun:
        """Begin a claimed or reserved batch, before its lines are spoken.

        The delivery of each line is counted, except of a line that was begun before:
        `deliver_again` counts it, just before it is spoken alone. The same round trip chooses the
        next batches to publish, and reserves the next batch of the queue for the owner.

        ids: the lines to be spoken. lists: the broker's lists of the queue.
        following: the batch to reserve if it still waits; by default the one that waits longest.
        """
        preferred = "|".join(map(str, _head(following)[:3])) if following else ""
        begun, taken, reserved = self._server.run_all(
            [
                ("begin", [*_head(at), owner, self.lease, at.deadline, *ids]),
                self._taking(at.queue, lists),
                ("reserve", [at.queue, owner, self.lease, preferred]),
            ]
        )
        mine, *counts = map(int, begun)
        return Begun(
            counts=dict(zip(ids, counts, strict=True)) if mine else None,
            send=_taken(at.queue, taken),
            following=_address(reserved, at.queue) if reserved else None,
        )

    def _taking(self, queue: str, broker_lists: Sequence[str]) -> Call:
        return "take", [queue, self._grace, *broker_lists]

    def renew(self, at: Address, owner: str) -> bool:
        """Renew a lease or reservation; return whether the work is still needed and in time."""
        number = "" if at.number is None else at.number
        return bool(self._server.run("renew", *_head(at), number, owner, self.lease, at.deadline))

    def release(self, at: Address, owner: str, *, pause: float = 0.0) -> None:
        """Return a batch; it may be taken again after ``pause`` seconds."""
        self._server.run("release", *_head(at), owner, pause)

    def unreserve(self, at: Address, owner: str) -> None:
        """End the reservation of a batch; its message is still in the queue."""
        self._server.run("release", *_head(at), owner, -1)

    def deliver_again(self, job: str, id_: str) -> int:
        """Count a delivery of work that is done alone, or a setback; return the count before."""
        return int(self._server.run("count", job, id_))

    def forgive(self, job: str, ids: Sequence[str]) -> None:
        """Reset the deliveries of lines that a living worker returns."""
        if ids:
            with self._server.commands() as redis:
                redis.hdel(f"{PREFIX}job:{job}:deliveries", *ids)

    def complete(
        self,
        at: Address,
        ids: Sequence[str],
        failed: int,
        took: float | None = None,
        spoken: int = 0,
        costs: Mapping[str, int] = MappingProxyType({}),
    ) -> list[str] | None:
        """Count a batch once; return the queues with new work, or None for an unknown job.

        took: seconds of its worker for the batch; by default those since its begin.
        spoken: number of lines that were sent to the engine, to which the costs belong.
        costs: amounts to add to cached accounts, by the account's name, which ends with ``:`` and
        the currency. They are whole numbers, because the Redis 6.2 of the extra ``embedded``
        crashes if this script calls INCRBYFLOAT.
        """
        counts = at.number, len(ids), failed, "" if took is None else took, spoken
        added = len(costs), *chain.from_iterable(costs.items())
        touched = list(self._server.run("complete", *_head(at), *counts, *added, *ids))
        return None if touched == ["unknown"] else touched

    def end(self, job: str, round_: int, state: JobState) -> None:
        """Record that a round ended, and drop the rest of its work."""
        if self._close(job, "end", job, round_, state.value) in (Audit.BROKEN, Audit.UNKNOWN):
            self._sweep(job)

    def forget(self, job: str) -> None:
        """Drop all entries of a job, including its events."""
        # Most jobs are unknown, because they ended long ago; their ends left nothing.
        if self._close(job, "forget", job) is Audit.BROKEN:
            self._sweep(job)

    def _close(self, job: str, script: str, *arguments: object) -> Audit:
        """Run a script that drops the work of a job; return how its entries stood before."""
        (stood,), _ = self._server.run_all([("audit", [job]), (script, arguments)])
        return Audit(stood)

    def _sweep(self, job: str) -> None:
        """Remove the lists that the lost keys of a job named, by a scan of all keys of Redis.

        A round that opens meanwhile may lose its lists, which the next audit finds.
        """
        with self._server.commands() as redis:
            keys = redis.scan_iter(match=f"{PREFIX}job:{job}:*", count=SCANNED_AT_ONCE)
            # Watchers still read the events of an ended job.
            if left := [key for key in keys if not key.endswith(":events")]:
                redis.delete(*left)

    def turn(self, what: str, seconds: int) -> bool:
        """Whether it is this process's turn at a task, which then is taken for so many seconds."""
        with self._server.commands() as redis:
            return bool(redis.set(f"{PREFIX}turn:{what}", "", nx=True, ex=seconds))

    def drop(self, keys: Sequence[str]) -> None:
        """Remove keys, such as the broker's."""
        with self._server.commands() as redis:
            redis.delete(*keys)

    def queue_depths(self, lists: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """Return the number of the broker's messages for each queue, in one round trip.

        lists: the broker's lists of each queue.
        """
        with self._server.commands() as redis, redis.pipeline(transaction=False) as pipe:
            for name in chain.from_iterable(lists.values()):
                pipe.llen(name)
            lengths = iter(pipe.execute())
        return {queue: sum(islice(lengths, len(of))) for queue, of in lists.items()}


def _taken(queue: str, answer: Any) -> list[Address]:
    batches, dropped = answer
    for entry in dropped:
        log.warning("an entry of %s that is not ours was dropped: %.80r", queue, entry)
    return [_address(batch, queue) for batch in batches]


def _address(batch: str, queue: str) -> Address:
    """Return the batch in an answer of the scripts' function `told`."""
    job, round_, token, late, request, tenant = batch.split("|", 5)
    return Address(
        job=job,
        round=int(round_),
        token=token,
        queue=queue,
        late=bool(late),
        request_id=request if is_identifier(request) else None,
        tenant=tenant if is_identifier(tenant) else None,
    )


def _head(at: Address) -> tuple[str, int, str, str]:
    return at.job, at.round, at.token, at.queue
