"""The followers of jobs: one thread reads the events of all followed jobs from Redis.

So the number of calls to Redis and storage grows with the jobs, not with their followers. A
follower gets no status that is older than its start or than its last status: a job that was retried
just now would seem ended.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from dubbing.errors import NotFound
from dubbing.jobs.status import Status, statuses_of
from dubbing.ledger import Ledger
from dubbing.storage import Storage
from dubbing.telemetry.attempts import Attempts

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.5
"""Longest wait of one read from Redis; newly followed jobs are in the next one."""
REFRESH_SECONDS = 5.0
"""Time after which the status of a job is sent again: its place and time change without an
event."""
AWAY_SECONDS = 1.0
"""Pause after a failed read."""
BEHIND = 1000
"""Most events that wait for a follower; a slower one is disconnected, and may reconnect."""


@dataclass(frozen=True)
class Event:
    """An event of a job."""

    job: str
    status: Status
    """The status of the job after it."""
    asked: float
    """When the status was read, by the monotonic clock."""
    id: str = ""
    """Id in the job's stream of events; ``""`` for a status that is only newer."""
    name: str = "status"
    """``state``, ``batch`` or ``status``."""
    told: dict[str, str] = field(default_factory=dict)
    """The content of the event, such as the number of a batch."""


class Follower:
    """A follower of a job: its events wait here, each once and in order."""

    def __init__(self, after: str | None) -> None:
        """Take the id of the last known event."""
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(BEHIND)
        self._last = _number(after or "")
        self._newest: Event | None = None
        """The one with the newest status."""
        self._told: Status | None = None
        """The last status that was sent as its own event."""
        self._early: list[Event | None] | None = []
        """Events that arrive before the missed events are known."""

    def begin(self, missed: Iterable[Event]) -> None:
        """Add the events that the follower missed, and the later ones."""
        early, self._early = self._early or [], None
        for event in (*missed, *early):
            self.put(event)

    def put(self, event: Event | None) -> None:
        """Add an event, or None for the end; a follower that is too slow is ended."""
        if self._early is not None:
            self._early.append(event)
            return
        if event and (event := self._news(event)) is None:
            return
        if self._events.full():
            while not self._events.empty():
                self._events.get_nowait()
            event = None
        self._events.put_nowait(event)

    def _news(self, event: Event) -> Event | None:
        """Return an event with the newest status so far, or None if it changes nothing."""
        if self._newest and event.asked < self._newest.asked:
            event = replace(event, status=self._newest.status, asked=self._newest.asked)
        self._newest = event
        if event.id:
            known, self._last = self._last, max(self._last, _number(event.id))
            return event if known < self._last else None
        told, self._told = self._told, event.status
        return event if told != event.status else None

    async def events(self) -> AsyncIterator[Event]:
        """Yield the events until the end."""
        while event := await self._events.get():
            yield event


@dataclass(eq=False)
class Followed:
    """A job that is followed."""

    after: str
    """Id of the last sent event."""
    followers: set[Follower] = field(default_factory=set)
    stands: Event | None = None
    """The event with its newest status."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the follower that reads its status."""

    def tell(self, event: Event) -> None:
        """Send an event to all followers."""
        self.after = event.id or self.after
        if self.stands is None or self.stands.asked < event.asked:
            self.stands = event
        for follower in self.followers:
            follower.put(event)


class Following:
    """Sends the events of jobs to their followers."""

    def __init__(self, storage: Storage, ledger: Ledger) -> None:
        """Start without followers; `begin` starts the reading thread."""
        self._storage = storage
        self._ledger = ledger
        self._jobs: dict[str, Followed] = {}
        self._followed = threading.Event()
        self._over = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Start the thread; called on the event loop of the gateway."""
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, name="following", daemon=True).start()

    def end(self) -> None:
        """End the thread, and disconnect all followers: they reconnect to another gateway."""
        self._over = True
        self._followed.set()
        for job in self._jobs.values():
            for follower in job.followers:
                follower.put(None)

    @asynccontextmanager
    async def follow(self, id_: str, after: str | None = None) -> AsyncIterator[Follower]:
        """Follow a job during the block.

        after: id of the last event that the follower knows; without it, the status comes first.
        Raises NotFound, and QueueUnavailable.
        """
        came, follower = time.monotonic(), Follower(after)
        if id_ not in self._jobs:
            last = await asyncio.to_thread(self._ledger.events.last, id_)
            self._jobs.setdefault(id_, Followed(last))
        job = self._jobs[id_]
        job.followers.add(follower)
        self._followed.set()
        try:
            past = await asyncio.to_thread(self._ledger.events.past, id_, after) if after else []
            stands = await self._stands(id_, job, came)
            follower.begin([*_events(stands, past), stands])
            yield follower
        finally:
            job.followers.discard(follower)
            if not job.followers and self._jobs.get(id_) is job:
                del self._jobs[id_]

    async def _stands(self, id_: str, job: Followed, came: float) -> Event:
        """Return the status of a job, read after a follower came."""
        async with job.turn:
            # One read is enough for all followers that came during another read.
            if job.stands is None or job.stands.asked < came:
                told = await asyncio.to_thread(self._ask_where, [id_])
                if not told:
                    raise NotFound(f"there is no job {id_!r}")
                job.tell(told[0])
                return told[0]
            return job.stands

    def _ask_where(self, ids: Sequence[str]) -> list[Event]:
        """Read the status of jobs; removed jobs are left out."""
        asked = time.monotonic()
        found = statuses_of(self._storage, self._ledger, ids)
        return [Event(status.id, status, asked) for status in found]

    def _run(self) -> None:
        attempts = Attempts(log, "events are asked for again")
        while not self._over:
            if not self._jobs:
                self._followed.wait()
                self._followed.clear()
                continue
            with attempts.one():
                self._ask()
            if attempts.failing:
                time.sleep(AWAY_SECONDS)

    def _ask(self) -> None:
        """Read the events of all jobs once, and send them to their followers."""
        jobs = dict(self._jobs)
        after = {id_: job.after for id_, job in jobs.items()}
        news = self._ledger.events.news(after, wait=WAIT_SECONDS)
        due = [id_ for id_, job in jobs.items() if id_ in news or _is_old(job.stands)]
        told = [
            event
            for stands in (self._ask_where(due) if due else ())
            for event in (*_events(stands, news.get(stands.job, ())), stands)
        ]
        if told and self._loop and not self._over:
            self._loop.call_soon_threadsafe(_tell, jobs, told)


def _tell(jobs: Mapping[str, Followed], events: Iterable[Event]) -> None:
    for event in events:
        jobs[event.job].tell(event)


def _is_old(stands: Event | None) -> bool:
    if stands is None:
        return True
    return not stands.status.state.ended and time.monotonic() - stands.asked > REFRESH_SECONDS


def _number(id_: str) -> tuple[int, int]:
    """Return an event's id as numbers; an id that Redis did not give gets the lowest ones."""
    time_, _, count = id_.partition("-")
    try:
        return int(time_), int(count or 0)
    except ValueError:
        return 0, 0


def _events(stands: Event, entries: Iterable[tuple[str, dict[str, str]]]) -> list[Event]:
    """Return the events of a job's stream. stands: the event with the status after them."""
    found = []
    for id_, fields in entries:
        told = {name: value for name, value in fields.items() if name != "event"}
        name = fields.get("event", "status")
        found.append(replace(stands, id=id_, name=name, told=told))
    return found
