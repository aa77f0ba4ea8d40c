"""Makes strikes on the system on schedule, mends their effects, and records them."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from soaking.before import Before
from soaking.damage import Damage
from soaking.guests import Guests
from soaking.strikes import STORAGE, WORKERS, Blow, Strike
from soaking.tampering import Tampering
from system import System, pool_processes

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


@dataclass(frozen=True)
class _Open:
    """A strike that is not mended yet."""

    strike: Strike
    hit: str
    """Its target, for a strike that chooses one among the existing objects."""
    since: float


class Havoc:
    """Disturbs a system during a soak.

    before: the release whose workers join, if there is one.
    say: prints a message for the person who watches.
    """

    def __init__(
        self,
        system: System,
        schedule: Iterable[Strike],
        before: Before | None,
        say: Callable[[str], None],
    ) -> None:
        self.past: list[Struck] = []
        self.killed: set[int] = set()
        """Processes that were killed with SIGKILL."""
        self.faults: list[str] = []
        """Faults that no strike excuses."""
        self._system = system
        self._coming = list(schedule)
        self._open: list[_Open] = []
        self._told: Counter[str] = Counter()
        self._say = say
        self._tampering = Tampering(system.settings.redis)
        self.damage = Damage(system)
        """The strikes on objects in storage."""
        self.guests = Guests(system, before)

    @property
    def quiet(self) -> bool:
        """Whether all strikes are done and mended."""
        return not self._coming and not self._open

    def tick(self, now: float) -> None:
        """Make and mend the strikes that are due; ``now``: seconds after the start."""
        self._look_for_the_dead()
        while self._coming and self._coming[0].at <= now:
            strike = self._coming.pop(0)
            if strike.target in {other.strike.target for other in self._open}:
                self._say(f"not {strike}: it is not back yet")
                continue
            since = time.time()
            hit = self._strike(strike)
            self._say(f"{strike}: {hit}" if hit else str(strike))
            self._open.append(_Open(strike, hit, since))
        self._open = [
            one
            for one in self._open
            if now < one.strike.at + one.strike.lasts or not self._mended(one)
        ]

    def mend(self) -> None:
        """Resume stopped workers and Redis, so that everything can end."""
        for one in self._open:
            if one.strike.blow is Blow.FREEZE:
                self._signal(one.strike.target, signal.SIGCONT)
            elif one.strike.blow is Blow.KILL_REDIS:
                self._system.redis.start()
        self.damage.bring_all()
        self._open, self._coming = [], []

    def close(self) -> None:
        """End the guests, and close the connection to the broker."""
        self.guests.close()
        self._tampering.close()

    def _strike(self, strike: Strike) -> str:
        """Make a strike; return what it hit."""
        target = strike.target
        match strike.blow:
            case Blow.KILL_CHILD:
                self._kill_child(target, strike.pick)
            case Blow.KILL_WORKER:
                self.killed.update(pool_processes(self._system.worker(target).pid))
                self._system.kill(target)
            case Blow.TERMINATE:
                self._system.worker(target).terminate()
            case Blow.FREEZE:
                self._signal(target, signal.SIGSTOP)
            case Blow.KILL_REDIS:
                self._system.redis.kill()
            case Blow.PROMOTE:
                self._system.redis.replicate()
            case Blow.STRAY:
                return self.guests.join(strike)
            case Blow.DOWNGRADE:
                self._system.worker(target).terminate()
                return self.guests.join(strike)
            case _ if target == STORAGE:
                return self.damage.do(strike)
            case _:
                return self._tampering.do(strike)
        return ""

    def _mended(self, one: _Open) -> bool:
        """Mend a strike; return False while its target has not ended yet."""
        strike, since, target = one.strike, one.since, one.strike.target
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
            case Blow.PROMOTE:
                self._system.redis.promote()
            case Blow.STRAY:
                if not self.guests.left(target, since + strike.lasts):
                    return False
            case Blow.DOWNGRADE:
                gone = self.guests.left(target, since + strike.lasts)
                if not gone or not self._ended(target, since):
                    return False
                self._system.start(target)
            case Blow.DELAY_RESULT:
                self.damage.bring(one.hit)
        if strike.lasts:
            self._say(f"{target} is {'gone' if strike.blow is Blow.STRAY else 'back'}")
        self.past.append(Struck(strike=strike, since=since, until=time.time()))
        return True

    def _ended(self, name: str, since: float) -> bool:
        code = self._system.worker(name).poll()
        if code is None and time.time() - since > PATIENCE:
            self.faults.append(f"{name} did not end within {PATIENCE:.0f} s of SIGTERM")
            self._system.kill(name)
            return True
        # While a worker is still starting, SIGTERM kills it: it has no batch to hand back.
        if code not in {None, 0, -signal.SIGTERM} and not self._died_too_soon(name):
            self.faults.append(f"{name} was told to end, and ended with {code}")
        return code is not None

    def _look_for_the_dead(self) -> None:
        """Restart workers that ended, as a process supervisor does."""
        struck = {one.strike.target for one in self._open}
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

    def _kill_child(self, name: str, pick: int) -> None:
        children = pool_processes(self._system.worker(name).pid)
        if children:
            pid = children[pick % len(children)]
            self.killed.add(pid)
            os.kill(pid, signal.SIGKILL)

    def _signal(self, name: str, number: signal.Signals) -> None:
        os.killpg(self._system.worker(name).pid, number)
