"""Strikes the system on schedule, mends it again, and records the strikes."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import redis
from soaking.strikes import WORKERS, Blow, Strike
from system import System

from dubbing.ledger import Address
from dubbing.queue import TASKS, broker_lists, make_app, queues_of

LEASES = "dubbing:leases:"
BEFORE_READY = "Could not start worker processes"
"""A worker's log message when a process of its pool died too soon."""
PATIENCE = 90.0
"""Seconds that a worker may take to shut down."""


@dataclass(frozen=True, kw_only=True)
class Struck:
    """A strike that was made; times are in seconds since 1970."""

    strike: Strike
    since: float
    until: float


class Havoc:
    """Disturbs a system during a soak.

    say: prints a message for the person who watches.
    """

    def __init__(
        self, system: System, schedule: Iterable[Strike], say: Callable[[str], None]
    ) -> None:
        self.past: list[Struck] = []
        self.killed: set[int] = set()
        """Processes that were killed with SIGKILL."""
        self.faults: list[str] = []
        """Faults that no strike excuses."""
        self._system = system
        self._coming = list(schedule)
        self._open: list[tuple[Strike, float]] = []
        self._told: Counter[str] = Counter()
        self._say = say
        self._app = make_app(system.settings.redis)

    @property
    def quiet(self) -> bool:
        """Whether all strikes are done and mended."""
        return not self._coming and not self._open

    def tick(self, now: float) -> None:
        """Make and mend the strikes that are due; ``now``: seconds after the start."""
        self._look_for_the_dead()
        while self._coming and self._coming[0].at <= now:
            strike = self._coming.pop(0)
            if strike.target in {other.target for other, _ in self._open}:
                self._say(f"not {strike}: it is not back yet")
                continue
            self._say(str(strike))
            self._open.append((strike, time.time()))
            self._strike(strike)
        self._open = [
            (strike, since)
            for strike, since in self._open
            if now < strike.at + strike.lasts or not self._mended(strike, since)
        ]

    def mend(self) -> None:
        """Resume stopped workers and Redis, so that everything can end."""
        for strike, _ in self._open:
            if strike.blow is Blow.FREEZE:
                self._signal(strike.target, signal.SIGCONT)
            elif strike.blow is Blow.KILL_REDIS:
                self._system.redis.start()
        self._open, self._coming = [], []

    def close(self) -> None:
        """Close the connection to the broker."""
        self._app.close()

    def _strike(self, strike: Strike) -> None:
        target = strike.target
        match strike.blow:
            case Blow.KILL_CHILD:
                self._kill_child(target, strike.pick)
            case Blow.KILL_WORKER:
                self.killed.update(self._children(target))
                self._system.kill(target)
            case Blow.TERMINATE:
                self._system.worker(target).terminate()
            case Blow.FREEZE:
                self._signal(target, signal.SIGSTOP)
            case Blow.KILL_REDIS:
                self._system.redis.kill()
            case _:
                with redis.from_url(self._system.settings.redis, decode_responses=True) as server:
                    self._tamper(strike, server)

    def _mended(self, strike: Strike, since: float) -> bool:
        """Mend a strike; return False while its target has not ended yet."""
        target = strike.target
        match strike.blow:
            case Blow.KILL_WORKER:
                self._system.start(target)
            case Blow.TERMINATE:
                if not self._ended(target, since):
                    return False
                self._system.start(target)
            case Blow.FREEZE:
                self._signal(target, signal.SIGCONT)
            case Blow.KILL_REDIS:
                self._system.redis.start()
        if strike.lasts:
            self._say(f"{target} is back")
        self.past.append(Struck(strike=strike, since=since, until=time.time()))
        return True

    def _ended(self, name: str, since: float) -> bool:
        code = self._system.worker(name).poll()
        if code is None and time.time() - since > PATIENCE:
            self.faults.append(f"{name} did not end within {PATIENCE:.0f} s of SIGTERM")
            self._system.kill(name)
            return True
        # A worker that was still starting dies of the signal itself: it has no batch to hand back.
        if code not in {None, 0, -signal.SIGTERM} and not self._died_too_soon(name):
            self.faults.append(f"{name} was told to end, and ended with {code}")
        return code is not None

    def _look_for_the_dead(self) -> None:
        """Restart workers that ended, as a process supervisor does."""
        struck = {strike.target for strike, _ in self._open}
        for name in WORKERS:
            code = self._system.worker(name).poll()
            if code is not None and name not in struck:
                self._say(f"{name} ended by itself with {code}")
                if not self._died_too_soon(name):
                    self.faults.append(f"{name} ended by itself with {code}; see its log")
                self._system.start(name)

    def _died_too_soon(self, name: str) -> bool:
        """Whether a worker ended because a process of its pool was killed before it was ready.

        Celery gives up on a pool with such a process.
        """
        engine = WORKERS[name]
        before = self._told[engine]
        self._told[engine] = self._system.log(engine).count(BEFORE_READY)
        return self._told[engine] > before

    def _tamper(self, strike: Strike, server: redis.Redis) -> None:
        """Tamper with the data in Redis."""
        if strike.blow is Blow.FORGET:
            server.flushall()
        elif strike.blow is Blow.DOUBLE:
            keys = sorted(server.scan_iter(f"{LEASES}*"))
            claimed = [
                (key.removeprefix(LEASES), m) for key in keys for m in server.zrange(key, 0, -1)
            ]
            if claimed:
                queue, member = claimed[strike.pick % len(claimed)]
                job, round_, token = member.split("|")
                at = Address(job=job, round=int(round_), token=token, queue=queue)
                for _ in range(2):
                    self._app.send_task(TASKS[at.kind], kwargs=asdict(at), queue=at.queue)
        elif strike.blow is Blow.DROP:
            queues = {queue for engine in WORKERS.values() for queue in queues_of(engine)}
            lists = [name for queue in sorted(queues) for name in broker_lists(queue)]
            if filled := [name for name in lists if server.llen(name)]:
                server.lpop(filled[strike.pick % len(filled)])

    def _kill_child(self, name: str, pick: int) -> None:
        children = self._children(name)
        if children:
            pid = children[pick % len(children)]
            self.killed.add(pid)
            os.kill(pid, signal.SIGKILL)

    def _children(self, name: str) -> list[int]:
        """Return the pool processes of a worker."""
        parent = self._system.worker(name).pid
        found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [
            int(pid) for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    def _signal(self, name: str, number: signal.Signals) -> None:
        os.killpg(self._system.worker(name).pid, number)
