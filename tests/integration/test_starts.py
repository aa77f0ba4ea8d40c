"""How a worker of several processes starts: engines that load slowly, fail, hang, or kill."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest
from click.testing import CliRunner
from line import line_to
from redis_server import free_port
from services import PLUGINS
from system import SECONDS, System, numbered, pool_processes, script

from dubbing.cli.workers import workers
from dubbing.engines.holding import Holding
from dubbing.ledger import WorkerRecord, WorkerState
from workers.process import DIED

LOADED = "faulty was loaded"
REST = DIED.format(engine="faulty")
FIRST_OF_CONSUMER = b"_kombu.binding."
LOST = "Connection to broker lost"
TAKES = ("synthesis.faulty", "extraction.faulty")


class Starts(System):
    """The worker of assembly; the test starts the others."""

    ENGINES: ClassVar[Mapping[str, str]] = {"assembly": "assembly"}

    def begin(self, *loads: str, engines: str = "faulty", **variables: str) -> None:
        """Start a worker; its processes load the engine so, in the order in which they come."""
        self.loads.write_text("\n".join(loads))
        self._workers["faulty"] = self.launch(engines, **variables)

    def records(self) -> list[WorkerRecord]:
        """The workers of the engine."""
        return [w for w in self.client.fleet.workers() if "faulty" in w.engines and w.online]

    def becomes(self, state: WorkerState) -> WorkerRecord:
        """Return the record of the worker once it is in this state, and tells all reports."""

        def there() -> bool:
            found = self.records()
            return [w.state for w in found] == [state] and self._tells_all(found[0])

        self.until(there, state.value)
        return self.records()[0]

    def _tells_all(self, record: WorkerRecord) -> bool:
        """Whether the record holds what the processes report by now: it is written later."""
        now = Holding.of_all(self.client.ledger.crew.holdings(record.name).values())
        told = record.holding
        return set(told.loaded) == set(now.loaded) and told.resting.keys() == now.resting.keys()

    def takes(self, *queues: str) -> None:
        """Return once the worker takes work from these queues alone."""
        self.until(lambda: [w.queues for w in self.records()] == [queues], f"from {queues}")

    def holds(self, *states: str) -> None:
        """Return once the processes of the worker stand so, whichever is which.

        A state is ``loading``, ``loaded``, ``resting``, or ``""``.
        """

        def there() -> bool:
            found = self.client.ledger.crew.holdings(self.records()[0].name).values()
            return sorted(map(_state, found)) == sorted(states)

        self.until(lambda: self.records() and there(), f"{states}")

    def processes(self) -> list[int]:
        """The ids of the worker's pool processes, the oldest first."""
        return pool_processes(self.worker("faulty").pid)

    def speaks(self, mark: str = "") -> None:
        """A job of several batches is done, no line of it is missing, and it waits for nothing."""
        name = f"job-{len(self.client.jobs())}"
        job = script(name, *numbered(name, 8, mark))
        assert self.run(job).loading == ()
        assert self.whole(job)


def _state(holding: Holding) -> str:
    if holding.loading:
        return "loading"
    if holding.resting:
        return "resting"
    return "loaded" if holding.loaded else ""


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is installed where jobs are submitted, whether it was ever loaded or not."""
    monkeypatch.syspath_prepend(str(PLUGINS))


@pytest.fixture(scope="module")
def port() -> int:
    """The port at which a line may reach Redis."""
    return free_port()


@pytest.fixture(scope="module")
def assembled(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Starts]:
    with Starts(tmp_path_factory.mktemp("starts"), slots=2, port=port) as system:
        yield system


@pytest.fixture
def starts(assembled: Starts) -> Iterator[Starts]:
    yield assembled
    assembled.leave("second")
    assembled.leave("faulty")


def test_processes_that_load_slowly_are_all_ready_at_every_start(starts: Starts) -> None:
    for time in range(2):
        starts.begin("<slow:2>", "<slow:2>")
        record = starts.becomes(WorkerState.READY)
        assert (record.holding.loaded, record.holding.resting) == (("faulty",), {})
        assert starts.log("faulty").count(LOADED) == 2 * (time + 1)
        starts.speaks()
        starts.stop("faulty")


def test_four_processes_that_load_slowly_are_ready(starts: Starts) -> None:
    starts.begin("<slow:3>", "<slow:1>", "<slow:3>", "<slow:2>", DUBBING_SLOTS="4")
    record = starts.becomes(WorkerState.READY)
    assert (record.slots, record.errors) == (4, ())
    assert starts.log("faulty").count(LOADED) == 4
    starts.speaks()


def test_two_workers_of_an_engine_that_start_at_once_are_ready(starts: Starts) -> None:
    starts.begin("<slow:2>", "<slow:2>", "<slow:2>", "<slow:2>")
    starts._workers["second"] = starts.launch("faulty")
    ready = [WorkerState.READY, WorkerState.READY]
    starts.until(lambda: [w.state for w in starts.records()] == ready, "both ready")
    assert starts.log("faulty").count(LOADED) == 4
    starts.speaks()


def test_a_worker_takes_work_while_one_of_its_processes_still_loads(starts: Starts) -> None:
    starts.begin("<slow:1>", "<hang>")
    starts.holds("loaded", "loading")
    starts.speaks()
    starts.holds("loaded", "loading")


def test_a_process_that_dies_while_it_loads_costs_itself_the_engine(starts: Starts) -> None:
    starts.begin("<slow:2>", "<slow:1><kill>")
    starts.holds("loaded", "resting")
    record = starts.becomes(WorkerState.ERROR)
    assert (record.errors, record.queues) == ((REST,), TAKES)
    assert (record.holding.loaded, record.holding.resting) == (("faulty",), {})
    starts.speaks("<slow:0.2>")
    starts.holds("loaded", "resting")
    assert starts.log("faulty").count(f"cannot do all that it was started for: {REST}") == 1


def test_a_process_that_is_killed_while_its_sibling_loads_costs_neither(starts: Starts) -> None:
    starts.begin("<slow:8>")
    starts.holds("loading", "loaded")
    job = script("killed", "<kill> a line that kills", *numbered("killed", 4))
    starts.client.submit(job)
    starts.begun(job, 1)
    starts.holds("loading", "loaded")
    starts.until(lambda: starts.log("faulty").count(LOADED) >= 3, "loaded by another process")
    record = starts.becomes(WorkerState.READY)
    assert (record.errors, record.holding.resting, record.queues) == ((), {}, TAKES)
    starts.speaks()


def test_a_process_that_is_killed_at_its_very_start_is_followed_by_another(
    starts: Starts, port: int
) -> None:
    def ear(asks: bool, data: bytes) -> bool:
        if not gone:
            # Until the worker has met Redis, its processes wait and do not load.
            starts.until(lambda: len(starts.processes()) == 2, "both there")
            gone.append(starts.processes()[0])
            os.kill(gone[0], signal.SIGKILL)
            starts.until(lambda: gone[0] not in starts.processes(), "dead")
        return True

    gone: list[int] = []
    with line_to(lambda: socket.create_connection(("127.0.0.1", port)), lambda: ear) as line:
        starts.begin(DUBBING_REDIS_URL=f"redis://127.0.0.1:{line}")
        starts.holds("loaded", "loaded")
        assert starts.becomes(WorkerState.READY).errors == ()
        assert gone
        starts.speaks()
        # It ends in order only as long as it reaches Redis.
        starts.leave("faulty")


def test_a_process_that_dies_as_redis_goes_away_is_followed_by_another(
    starts: Starts, port: int
) -> None:
    def ear(asks: bool, data: bytes) -> bool:
        if asks and FIRST_OF_CONSUMER in data and not gone:
            # Celery has not begun to listen to its processes. A death during loading would be
            # another matter.
            starts.holds("loaded", "loaded")
            gone.append(starts.processes()[0])
            os.kill(gone[0], signal.SIGKILL)
            starts.until(lambda: gone[0] not in starts.processes(), "dead")
        if gone and starts.log("faulty").count(LOST) == 0:
            raise ConnectionResetError
        return True

    gone: list[int] = []
    with line_to(lambda: socket.create_connection(("127.0.0.1", port)), lambda: ear) as line:
        starts.begin(DUBBING_REDIS_URL=f"redis://127.0.0.1:{line}")
        assert starts.becomes(WorkerState.READY).errors == ()
        assert len(gone) == starts.log("faulty").count(LOST) == 1
        assert len(starts.processes()) == 2
        starts.speaks()
        # It ends in order only as long as it reaches Redis.
        starts.leave("faulty")


def test_a_worker_that_loads_says_so_to_who_waits_and_ends_at_once_when_it_is_told_to(
    starts: Starts,
) -> None:
    starts.begin("<hang>", "<hang>")
    starts.holds("loading", "loading")
    starts.client.submit(script("waits", *numbered("waits", 2)))
    assert "faulty" in starts.client.status("waits").loading
    starts.worker("faulty").terminate()
    assert starts.worker("faulty").wait(timeout=SECONDS) == 0
    del starts._workers["faulty"]


def test_every_process_dies_while_it_loads(starts: Starts) -> None:
    starts.begin("<kill>", "<kill>")
    starts.takes()
    assert starts.becomes(WorkerState.ERROR).errors == (REST,)
    job = script("none", *numbered("none", 2))
    starts.client.submit(job)
    status = starts.client.status("none")
    assert status.lacks == ("faulty",)
    assert status.unable == {"faulty": REST}


def test_an_engine_that_one_process_cannot_load_is_spoken_by_the_other(
    starts: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts.begin("<slow:1>", "<raise>")
    starts.holds("loaded", "resting")
    record = starts.becomes(WorkerState.ERROR)
    why = "faulty cannot be loaded: the model is damaged"
    assert (record.errors, record.queues) == ((why,), TAKES)
    starts.speaks("<slow:0.2>")
    assert starts.log("faulty").count(f"cannot do all that it was started for: {why}") == 1
    monkeypatch.setenv("DUBBING_REDIS_URL", starts.redis.url)
    monkeypatch.setenv("DUBBING_HOME", str(starts.settings.home))
    assert f"{record.name}: {why}" in CliRunner().invoke(workers).stderr
    for n in range(4):
        assert starts.client.say(f"Said {n}", language="qaa").seconds > 0


def test_a_worker_in_which_no_process_can_load_ends_and_says_why(starts: Starts) -> None:
    starts.begin("<raise>", "<slow:1><raise>")
    assert starts.worker("faulty").wait(timeout=SECONDS) == 1
    *_, last = starts.log("faulty").splitlines()
    assert last == "error: faulty cannot be loaded: the model is damaged"
    assert starts.records() == []
    del starts._workers["faulty"]


def test_of_two_engines_the_one_that_can_be_loaded_is_spoken(starts: Starts) -> None:
    starts.begin("<raise>", "<raise>", engines="faulty tone")
    starts.takes("synthesis.tone", "extraction.tone")
    assert starts.becomes(WorkerState.ERROR).holding.loaded == ("tone",)
    job = script("tone", *numbered("tone", 6), engine="tone")
    starts.run(job)
    assert starts.whole(job)


def test_loading_that_hangs_ends_its_process_and_says_where(starts: Starts) -> None:
    starts.begin("<hang>", FAULTY_LOAD_SECONDS="3")
    starts.holds("loading", "loaded")
    starts.holds("resting", "loaded")
    assert starts.becomes(WorkerState.ERROR).errors == (REST,)
    assert "in _hang" in starts.log("faulty")
    starts.speaks()


def test_a_redis_that_is_emptied_while_engines_load_is_told_of_every_process(
    starts: Starts,
) -> None:
    starts.begin("<slow:1>", "<slow:12>")
    starts.holds("loaded", "loading")
    starts.restart_redis()
    starts.holds("loaded", "loading")
    record = starts.becomes(WorkerState.READY)
    assert record.errors == ()
    starts.speaks()
