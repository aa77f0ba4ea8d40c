"""The calls of the ledger; the docstring of the package lists the keys."""

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
from dubbing.ledger.records import PREFIX, Address, Audit, Begun, Claim
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
"""A worker that has not renewed a lease for this long is gone."""
GRACE_SECONDS = 10.0
"""A message that is neither in the broker nor claimed after this long is lost."""


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
        """Connect to a Redis for the first time; raises QueueRefused and QueueUnavailable.

        It has to answer within seconds. Every other call waits longer, for a restart of Redis.
        patient: whether Redis may be about to start, if nobody listens there; otherwise it is
        unavailable at once.
        """
        self._server.greet(patient=patient)

    def answers(self) -> bool:
        """Whether Redis answers now, within a second; for callers who can do without it."""
        return self._server.answers()

    def slots(self, process: str) -> Slots:
        """Return the slots of endpoints, as a process of this name shares them with others."""
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

    def ping(self) -> None:
        """Raise QueueUnavailable unless Redis answers."""
        with self._server.commands() as redis:
            redis.ping()

    def check_writable(self, *, consume: bool = False) -> str:
        """Return a caution about how Redis is set, or ``""``; see `probe` for what it raises."""
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

        Work that is under way goes on, and a round that has ended, or gave way, is left alone.

        results: the number of failed lines of each batch whose result is stored, by its number.
        others: lines of the job that this round leaves unchanged.
        request_id: of the request over HTTP that asked for the round.
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
        """Return for each job whether the entries of its work add up."""
        return [Audit(answer) for answer in self._server.run("audit", *jobs)]

    def at_work(self, queues: Iterable[str]) -> set[str]:
        """Return the jobs that have work on these queues: waiting, published or leased."""
        return set(filter(is_identifier, self._server.run("at_work", *queues)))

    def take(self, lists: Mapping[str, Sequence[str]]) -> list[Address]:
        """Return the batches to publish on queues now: tenants in turn, then jobs in turn.

        lists: the broker's lists of each queue.
        """
        answers = self._server.run_all([self._taking(queue, of) for queue, of in lists.items()])
        return [
            at for queue, answer in zip(lists, answers, strict=True) for at in _taken(queue, answer)
        ]

    def claim(self, at: Address, owner: str, *, held: bool = False) -> tuple[Claim, Address]:
        """Claim the batch of an arrived message, or another waiting batch; its lease starts here.

        Another one is claimed when this one is taken: a message stands for any batch of its queue.

        held: whether the owner holds the batch of the message already.
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
        """Begin a batch that was claimed or reserved, before its lines are spoken.

        Each line's delivery is counted. A line that was begun before is not counted here:
        `deliver_again` counts it, just before it is spoken alone. What follows a batch is done in
        the same round trip: what is to be published in its place is chosen, and the next batch of
        the queue is reserved.

        ids: the lines that are to be spoken. lists: the broker's lists of the queue.
        following: the batch to reserve, if it still waits; otherwise the one that waits longest.
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
        """Renew a lease; return whether the work is still needed and within its deadline."""
        number = "" if at.number is None else at.number
        return bool(self._server.run("renew", *_head(at), number, owner, self.lease, at.deadline))

    def release(self, at: Address, owner: str, *, pause: float = 0.0) -> None:
        """Return a batch to the queue; it may be taken again after ``pause`` seconds."""
        self._server.run("release", *_head(at), owner, pause)

    def unreserve(self, at: Address, owner: str) -> None:
        """Release a batch that was only reserved; its message is still on the way."""
        self._server.run("release", *_head(at), owner, -1)

    def deliver_again(self, job: str, id_: str) -> int:
        """Count a delivery of work that is done alone; return how often it was begun before."""
        return int(self._server.run("count", job, id_))

    def forgive(self, job: str, ids: Sequence[str]) -> None:
        """Drop the deliveries of lines that a living worker returns."""
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
        """Count a batch once; return the queues with new work, or None when the job is unknown.

        took: seconds that the batch took its worker; by default those since it was begun.
        spoken: lines that the engine was asked for; the costs are theirs.
        costs: amounts to add to accounts that are remembered, by name, which ends with ``:`` and
        the currency; whole numbers, as the Redis 6.2 of the extra ``embedded`` crashes where this
        script calls INCRBYFLOAT.
        """
        counts = at.number, len(ids), failed, "" if took is None else took, spoken
        added = len(costs), *chain.from_iterable(costs.items())
        touched = list(self._server.run("complete", *_head(at), *counts, *added, *ids))
        return None if touched == ["unknown"] else touched

    def end(self, job: str, round_: int, state: JobState) -> None:
        """Record that a round ended, and drop the rest of its work."""
        self._server.run("end", job, round_, state.value)

    def forget(self, job: str) -> None:
        """Drop all entries of a job, its events too."""
        self._server.run("forget", job)
        with self._server.commands() as redis:
            # What the job's own lists name is gone; these may be left if such a list was lost.
            left = list(redis.scan_iter(match=f"{PREFIX}job:{job}:*", count=1000))
            if left:
                redis.delete(*left)

    def turn(self, what: str, seconds: int) -> bool:
        """Whether this process is the one to do a task for the next ``seconds`` seconds."""
        with self._server.commands() as redis:
            return bool(redis.set(f"{PREFIX}turn:{what}", "", nx=True, ex=seconds))

    def drop(self, keys: Sequence[str]) -> None:
        """Remove keys, also the broker's."""
        with self._server.commands() as redis:
            redis.delete(*keys)

    def queue_depth(self, broker_lists: Sequence[str]) -> int:
        """Return the number of the broker's messages in these lists."""
        return self.queue_depths({"": broker_lists})[""]

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
    """Return a batch as the function `told` of the scripts tells it."""
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
