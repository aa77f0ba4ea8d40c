"""A complete soak: the system, the strikes, and the verdict."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from distance import far
from redis_server import free_port
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from soaking.again import Again
from soaking.before import Before
from soaking.begun import Begun
from soaking.customers import Customers
from soaking.havoc import Havoc, Struck
from soaking.janitor import Janitor
from soaking.orders import FEWEST, MOST, Order, make_order, make_sound
from soaking.reconcile import Audit, left_behind
from soaking.strikes import WORKERS, strikes
from system import System

from dubbing.errors import NotFound
from dubbing.queue import broker_lists, queues_of

TICK = 0.1
ENDING = 180.0
"""Seconds after the last strike within which every job must end."""
DRAINING = 30.0
"""Seconds within which the remaining messages must be taken."""


class Soaked(System):
    """A system with more workers than one of each kind."""

    ENGINES = WORKERS


class Soak:
    """One run; it removes its folder when all is well, and keeps it when there are faults."""

    def __init__(self, seed: int, minutes: float, delay: float, console: Console) -> None:
        """Take the seed and the minutes of strikes.

        delay: seconds of a round trip between workers and Redis.
        """
        self._delay = delay
        self._seed = seed
        self._seconds = minutes * 60
        self._console = console
        self._started = time.monotonic()
        self._faults: list[str] = []
        self._past: list[Struck] = []
        self._killed_guests = 0
        self._figures: dict[str, int] = {}

    def run(self) -> bool:
        """Return whether everything held."""
        home = Path(tempfile.mkdtemp(prefix="soak-"))
        keep = True
        try:
            with temporary_files_in(home / "tmp"):
                self._run_in(home)
            self._tell()
            keep = bool(self._faults)
        except KeyboardInterrupt:
            keep = False
            raise
        finally:
            if keep:
                self._say(f"all files are kept in {home}")
            else:
                shutil.rmtree(home)
        return not self._faults

    def _run_in(self, home: Path) -> None:
        try:
            port = free_port() if self._delay else 0
            with (
                far(port, self._delay) as proxy,
                Soaked(home / "home", append_only=True, port=port, seen_at=proxy) as system,
            ):
                self._soak(system)
        except AssertionError as exc:
            self._faults.append(f"the system did not start or end: {exc}")
        self._faults += left_behind(home, self._past, self._killed_guests)

    def _soak(self, system: System) -> None:
        begun = Begun(system.spoken_log)
        before = self._release_before(system)
        havoc = Havoc(system, strikes(self._seed, self._seconds), before, self._say)
        at_once = random.Random(self._seed).randint(5, 10)
        customers = Customers(system.client, self._orders(system), at_once, before)
        janitor = Janitor(system.client.storage)
        self._say(f"{at_once} jobs are worked on at a time")
        try:
            customers.start()
            janitor.start()
            self._disturb(havoc, customers, begun)
            self._say("the strikes are over")
            customers.close()
            self._wait(havoc, customers, begun)
        finally:
            havoc.mend()
            customers.give_up()
            janitor.stop()
            havoc.close()
        begun.look()
        self._past = havoc.past
        self._killed_guests = havoc.guests.killed
        self._faults += [*havoc.faults, *janitor.faults]
        self._drain(system)
        self._reconcile(system, customers, havoc, begun, janitor)

    def _release_before(self, system: System) -> Before | None:
        folder = system.settings.home / "before"
        try:
            return Before(folder, system.settings)
        except NotFound as exc:
            self._say(f"nothing of the release before works beside: {exc}")
            return None

    def _orders(self, system: System) -> Iterator[Order]:
        sound = system.settings.home / "sound.wav"
        make_sound(sound)
        most = round(min(MOST, max(2 * FEWEST, 3 * self._seconds)))
        for number in count():
            order = make_order(self._seed, number, sound, most)
            self._say(str(order))
            yield order

    def _disturb(self, havoc: Havoc, customers: Customers, begun: Begun) -> None:
        while self._now() < self._seconds or not havoc.quiet:
            havoc.tick(self._now())
            begun.look()
            if self._now() >= self._seconds:
                customers.close()
            time.sleep(TICK)

    def _wait(self, havoc: Havoc, customers: Customers, begun: Begun) -> None:
        until = self._now() + ENDING
        while not customers.served and self._now() < until:
            havoc.tick(self._now())
            begun.look()
            time.sleep(TICK)

    def _drain(self, system: System) -> None:
        """Wait until no message and no work is left, so that nothing happens afterwards."""
        queues = [queue for engine in WORKERS.values() for queue in queues_of(engine)]
        lists = [name for queue in queues for name in broker_lists(queue)]
        until = self._now() + DRAINING
        ledger = system.client.ledger
        # A promoted replica may bring back ended jobs; the reconcilers end them again.
        while ledger.queue_depths({"": lists})[""] or ledger.at_work(queues):
            if self._now() > until:
                depths, jobs = system.client.fleet.depths(), sorted(ledger.at_work(queues))
                self._faults.append(f"messages are left, or jobs at work: {depths}, {jobs}")
                return
            time.sleep(TICK)

    def _reconcile(
        self, system: System, customers: Customers, havoc: Havoc, begun: Begun, janitor: Janitor
    ) -> None:
        self._say("comparing everything acknowledged with storage")
        havoc.damage.put_back()
        by_text, lives = begun.by_text(), customers.lives
        dead, hits = havoc.killed | begun.poisoned(), {hit.key for hit in havoc.damage.hits}
        audit = Audit(system, by_text, dead, havoc.past, hidden=hits)
        for life in lives:
            self._faults += audit.job(life)
        self._faults += [*audit.storage(), *audit.ledger()]
        again = Again(system, lives, by_text, havoc.past, hits, janitor.gone)
        self._faults += again.faults(audit.clips)
        self._figures = {
            "jobs": len(lives),
            "submissions acknowledged": sum(life.acknowledged for life in lives),
            "calls that found no Redis": sum(life.refused for life in lives),
            **audit.counts,
            "lines taken over by another process": again.taken_over,
            "lines begun again": again.repeated,
            "collections of garbage": janitor.collections,
            "clips removed as garbage": janitor.gone.total(),
            **Counter(struck.strike.blow.value for struck in havoc.past),
        }

    def _tell(self) -> None:
        table = Table("what happened", "how often", box=None)
        for name, number in self._figures.items():
            table.add_row(name, str(number))
        self._console.print(table)
        for fault in self._faults:
            self._console.print(
                f"[red]✗[/] {escape(fault)}", highlight=False, emoji=False, soft_wrap=True
            )
        if not self._faults:
            self._console.print("[green]✓[/] every line of every job is there once, or reported")

    def _now(self) -> float:
        return time.monotonic() - self._started

    def _say(self, what: str) -> None:
        told = f"{self._now():7.1f}  {what}"
        self._console.print(told, highlight=False, markup=False, emoji=False, soft_wrap=True)


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Put temporary files of this process and its children here, as killed processes leave some."""
    before = os.environ.get("TMPDIR")
    folder.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = None
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
