"""Who follows which job: one thread asks Redis for the events of all jobs that are followed.

So the calls to Redis and storage grow with the jobs, and not with those who follow them.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from dubbing.errors import DubbingError, NotFound
from dubbing.jobs.status import Status, statuses_of
from dubbing.ledger import Ledger
from dubbing.storage import Storage

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.5
"""How long one question to Redis waits; a job that is followed since is in the next one."""
REFRESH_SECONDS = 5.0
"""After which the status of a job is told again: its place and time change without an event."""
AWAY_SECONDS = 1.0
"""Pause after a question that failed."""
BEHIND = 1000
"""Events that wait for a follower; one that is slower is sent away, and may come back."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a job."""

    job: str
    status: Status
    """Where the job stands after it."""
    id: str = ""
    """Id in the job's stream of events; ``""`` for a status that is only newer."""
    name: str = "status"
    """``state``, ``batch`` or ``status``."""
    told: dict[str, str] = field(default_factory=dict)
    """What the event itself tells, such as the number of a batch."""


class Follower:
    """One who follows a job: its events wait here, each once and in their order."""

    def __init__(self, after: str | None) -> None:
        """Take the id of the last event that is known."""
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(BEHIND)
        self._last = _number(after or "")
        self._early: list[Event | None] | None = []
        """What happens before it is known what the follower missed."""

    def begin(self, missed: Iterable[Event]) -> None:
        """Add what the follower missed, and what happened since."""
        early, self._early = self._early or [], None
        for event in (*missed, *early):
            self.put(event)

    def put(self, event: Event | None) -> None:
        """Add an event, or None for the end; a follower that is too slow loses all and ends."""
        if self._early is not None:
            self._early.append(event)
            return
        if event and event.id:
            if _number(event.id) <= self._last:
                return
            self._last = _number(event.id)
        if self._events.full():
            while not self._events.empty():
                self._events.get_nowait()
            event = None
        self._events.put_nowait(event)

    async def events(self) -> AsyncIterator[Event]:
        """Yield the events until the end."""
        while event := await self._events.get():
            yield event


class Following:
    """Tells followers what happens to jobs."""

    def __init__(self, storage: Storage, ledger: Ledger) -> None:
        """Nobody follows a job yet; `begin` starts the thread that asks."""
        self._storage = storage
        self._ledger = ledger
        self._followers: dict[str, set[Follower]] = defaultdict(set)
        self._after: dict[str, str] = {}
        self._known: dict[str, tuple[Status, float]] = {}
        """The last status of each job that is followed, and when it was asked."""
        self._followed = threading.Event()
        self._over = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Start the thread; called on the event loop of the gateway."""
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, name="following", daemon=True).start()

    def end(self) -> None:
        """End the thread, and send all followers away: they come back to another gateway."""
        self._over = True
        self._followed.set()
        for follower in {one for some in self._followers.values() for one in some}:
            follower.put(None)

    @asynccontextmanager
    async def follow(self, job: str, after: str | None = None) -> AsyncIterator[Follower]:
        """Follow a job during the block.

        after: id of the last event that the follower knows; its status comes first without one.
        Raises NotFound, and QueueUnavailable.
        """
        follower = Follower(after)
        if job not in self._after:
            self._after.setdefault(job, await asyncio.to_thread(self._ledger.last_event, job))
        self._followers[job].add(follower)
        self._followed.set()
        try:
            follower.begin(await asyncio.to_thread(self._missed, job, after))
            yield follower
        finally:
            self._leave(job, follower)

    def _leave(self, job: str, follower: Follower) -> None:
        self._followers[job].discard(follower)
        if not self._followers[job]:
            for kept in (self._followers, self._after, self._known):
                kept.pop(job, None)

    def _missed(self, job: str, after: str | None) -> list[Event]:
        """Return what a follower who comes has missed; at least the status."""
        past = self._ledger.past_events(job, after) if after is not None else []
        status = self._status(job)
        return [*_events(job, status, past), Event(job, status)]

    def _status(self, job: str) -> Status:
        """Return where a job stands, as it was asked in this moment for anybody."""
        known, at = self._known.get(job, (None, 0.0))
        if known and time.monotonic() - at < WAIT_SECONDS:
            return known
        found = statuses_of(self._storage, self._ledger, [job])
        if not found:
            raise NotFound(f"there is no job {job!r}")
        self._known[job] = found[0], time.monotonic()
        return found[0]

    def _run(self) -> None:
        while not self._over:
            if not self._after:
                self._followed.wait()
                self._followed.clear()
                continue
            try:
                self._ask()
            except DubbingError as exc:
                log.warning("events are asked for again: %s", exc)
                time.sleep(AWAY_SECONDS)
            except Exception:
                # Without this thread nobody would hear of anything.
                log.exception("events are asked for again")
                time.sleep(AWAY_SECONDS)

    def _ask(self) -> None:
        """Ask once for the events of all jobs, and tell their followers."""
        after = dict(self._after)
        news = self._ledger.news(after, wait=WAIT_SECONDS)
        now = time.monotonic()
        due = [job for job in after if job in news or self._is_old(job, now)]
        if not due:
            return
        told: list[Event] = []
        for status in statuses_of(self._storage, self._ledger, due):
            job, before = status.id, self._known.get(status.id, (None, 0.0))[0]
            told += _events(job, status, news.get(job, ()))
            if status != before:
                told.append(Event(job, status))
            self._known[job] = status, now
        if self._loop and not self._over:
            last = {job: entries[-1][0] for job, entries in news.items() if entries}
            self._loop.call_soon_threadsafe(self._tell, told, last)

    def _is_old(self, job: str, now: float) -> bool:
        known, at = self._known.get(job, (None, 0.0))
        return known is None or (not known.state.ended and now - at > REFRESH_SECONDS)

    def _tell(self, events: Iterable[Event], last: dict[str, str]) -> None:
        for job, id_ in last.items():
            if job in self._after:
                self._after[job] = id_
        for event in events:
            for follower in tuple(self._followers.get(event.job, ())):
                follower.put(event)


def _number(id_: str) -> tuple[int, int]:
    """Return an event's id as numbers; those of an id that Redis did not give are the least."""
    time_, _, count = id_.partition("-")
    try:
        return int(time_), int(count or 0)
    except ValueError:
        return 0, 0


def _events(job: str, status: Status, entries: Iterable[tuple[str, dict[str, str]]]) -> list[Event]:
    found = []
    for id_, fields in entries:
        told = {name: value for name, value in fields.items() if name != "event"}
        found.append(Event(job, status, id_, fields.get("event", "status"), told))
    return found
