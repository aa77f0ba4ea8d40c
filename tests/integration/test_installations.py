"""Storage and Redis of two installations that are mixed up: refused at once, or put at rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import redis
from console import SCENE, Console
from installations import access
from ledgers import record
from services import PLUGINS
from system import System, numbered, script, stored_job

from dubbing.client import Client
from dubbing.errors import NotFound, StorageUnavailable, WrongInstallation
from dubbing.job import JobState
from dubbing.jobs.installation import Installation
from dubbing.jobs.rounds import create_first_round, end_round
from dubbing.jobs.store import End
from dubbing.ledger import Ledger, WorkerRecord, WorkerState
from dubbing.queue import Publisher, make_app
from dubbing.settings import Settings
from dubbing.storage import Keys, Storage
from workers.heartbeat import Heartbeat
from workers.reconciler import Reconciler

KEY = "dubbing:installation"


def installation(storage: Storage, redis_url: str) -> Installation:
    return Installation(storage, Ledger(redis_url))


def folder(tmp_path: Path, name: str) -> Storage:
    return Storage.at(str(tmp_path / name))


def at_once(do: Callable[[Installation], object], several: Sequence[Installation]) -> int:
    """Do it for several installations in the same moment; return for how many it succeeded."""
    barrier = Barrier(len(several))

    def succeeds(one: Installation) -> bool:
        barrier.wait()
        try:
            do(one)
        except WrongInstallation:
            return False
        return True

    with ThreadPoolExecutor(len(several)) as pool:
        return sum(pool.map(succeeds, several))


def test_storage_and_redis_get_one_id_whoever_comes_first(storage: Storage, redis_url: str) -> None:
    with redis.from_url(redis_url, decode_responses=True) as server:
        for _ in range(5):
            server.flushall()
            storage.delete(Keys.INSTALLATION)
            # Not more: each has three seconds for the small server of the tests.
            several = [installation(storage, redis_url) for _ in range(4)]
            assert at_once(Installation.enter, several) == 4
            (id_,) = {one.id for one in several}
            assert storage.get(Keys.INSTALLATION).decode() == id_
            assert server.get(KEY) == id_


def test_of_installations_that_meet_in_an_empty_redis_one_gets_it(
    tmp_path: Path, redis_url: str
) -> None:
    several = [installation(folder(tmp_path, str(n)), redis_url) for n in range(8)]
    with redis.from_url(redis_url) as server:
        for one in several:
            server.flushall()
            one.enter()
        for _ in range(20):
            server.flushall()
            assert at_once(Installation.check_redis, several) == 1


def test_an_empty_storage_is_not_taken_for_that_of_another_installation(
    tmp_path: Path, redis_url: str
) -> None:
    installation(folder(tmp_path, "right"), redis_url).enter()
    other = folder(tmp_path, "other")
    url = redis_url.replace("unix://", "unix://:open-sesame@")
    with pytest.raises(WrongInstallation) as caught:
        installation(other, redis_url).enter()
    for words in (other.url, redis_url, "DUBBING_STORAGE_URL", "dubbing:*", "database number"):
        assert words in str(caught.value)
    assert not Path(other.url).exists()
    assert "open-sesame" not in Ledger(url).place


def test_the_storage_of_another_installation_is_refused(tmp_path: Path, redis_url: str) -> None:
    one, other = folder(tmp_path, "one"), folder(tmp_path, "other")
    installation(one, redis_url).enter()
    with redis.from_url(redis_url) as server:
        server.flushall()
        installation(other, redis_url).enter()
        with pytest.raises(WrongInstallation):
            installation(one, redis_url).enter()
        # The advice: the other one is gone.
        server.delete(KEY)
    installation(one, redis_url).enter()


def test_storage_that_was_written_before_there_were_ids_gets_one(
    tmp_path: Path, redis_url: str
) -> None:
    storage = folder(tmp_path, "old")
    job = stored_job("old", *numbered("Old", 2))
    storage.create(Keys.job("old"), job.model_dump_json().encode())
    installation(storage, redis_url).enter()
    assert storage.exists(Keys.INSTALLATION)


def test_a_redis_that_was_emptied_gets_the_id_again(storage: Storage, redis_url: str) -> None:
    first = installation(storage, redis_url)
    first.enter()
    with redis.from_url(redis_url, decode_responses=True) as server:
        server.flushall()
        first.check_redis()
        assert server.get(KEY) == first.id
    second = installation(storage, redis_url)
    second.enter()
    assert second.id == first.id


WRITES: dict[str, Callable[[Client], object]] = {
    "submit": lambda client: client.submit(script("new", "A new line.", engine="tone")),
    "revise": lambda client: client.revise(script("j", "Another line.", engine="tone")),
    "retry": lambda client: client.retry("j"),
    "cancel": lambda client: client.cancel("open"),
    "say": lambda client: client.say("Said at once.", language="en"),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_client_with_the_storage_of_another_installation_writes_nothing(
    tmp_path: Path, redis_url: str, write: str
) -> None:
    settings = Settings(storage_url=str(tmp_path / "own"), redis_url=redis_url, engine="tone")
    own = Client.connect(settings)
    for name in ("j", "open"):
        own.submit(script(name, "A line.", engine="tone"))
    end_round(own.storage, own.ledger, "j", End(state=JobState.FAILED, round=1))
    with redis.from_url(redis_url) as server:
        server.flushall()
        installation(folder(tmp_path, "other"), redis_url).enter()
        stored = set(own.storage.keys(""))
        with pytest.raises(WrongInstallation):
            WRITES[write](own)
        assert set(own.storage.keys("")) == stored
        assert not server.keys("dubbing:job:*")
    reader = Client.connect(settings)
    for read in (reader.jobs, lambda: reader.status("open")):
        with pytest.raises(WrongInstallation):
            read()
    # A dry run needs no id.
    own.preview(script("new", "A new line.", engine="tone"))


@pytest.mark.parametrize(
    "command",
    [("worker", "tone"), ("submit", SCENE), ("run", SCENE), ("up", "tone"), ("say", "A line.")],
    ids=lambda command: command[0],
)
def test_every_command_that_writes_names_both_places(
    command: tuple[str, ...], tmp_path: Path, redis_url: str
) -> None:
    installation(folder(tmp_path, "other"), redis_url).enter()
    dubbing = Console(tmp_path / "home", DUBBING_REDIS_URL=redis_url, DUBBING_ENGINE="tone")
    said = dubbing(*command, code=2).stderr
    assert f"the storage {dubbing.storage}" in said
    assert f"the Redis {redis_url}" in said
    assert not dubbing.storage.exists()
    assert not (dubbing.home / "logs").exists()
    assert dubbing.processes() == []


def test_a_stack_that_shares_the_redis_of_another_storage_names_both_places(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    first = Console(home, DUBBING_ENGINE="tone")
    with first.started("up") as up:
        assert up.stdout
        assert up.stdout.readline().startswith("up: tone")
        second = Console(home, DUBBING_ENGINE="tone", DUBBING_STORAGE_URL=str(other))
        assert f"the storage {other} and the Redis unix://" in second("up", code=2).stderr


def test_an_object_that_is_missing_shows_that_the_folder_is_not_mounted(
    tmp_path: Path, redis_url: str
) -> None:
    storage = folder(tmp_path, "storage")
    one = access(storage, redis_url)
    assert not one.lost(NotFound("an object"))
    one.check_mounted()
    mounted = Path(storage.url).rename(tmp_path / "elsewhere")
    Path(storage.url).mkdir()
    with pytest.raises(WrongInstallation, match="is its folder mounted"):
        one.check_mounted()
    assert one.lost(NotFound("an object"))
    with pytest.raises(StorageUnavailable, match="is its folder mounted"):
        one.check()
    Path(storage.url).rmdir()
    mounted.rename(storage.url)


def test_a_worker_puts_no_job_into_the_redis_of_another_installation_and_says_so_once(
    tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    storage, ledger = folder(tmp_path, "storage"), Ledger(redis_url)
    job = stored_job("open", *numbered("Open", 2), engine="tone")
    storage.create(Keys.open("open"), b"")
    storage.create(Keys.job("open"), job.model_dump_json().encode())
    create_first_round(storage, job)
    here = installation(storage, redis_url)
    here.enter()
    app = make_app(redis_url)
    heartbeat = Heartbeat(app, ledger, Publisher(app, ledger), record())
    with redis.from_url(redis_url) as server:
        server.set(KEY, "another")
        Reconciler(storage, ledger, heartbeat, here).step()
        assert heartbeat.fault
        assert not server.keys("dubbing:job:*")
        for _ in range(3):
            heartbeat.beat()
        server.delete(KEY)
        reconciler = Reconciler(storage, ledger, heartbeat, here)
        reconciler.step()
        heartbeat.beat()
        reconciler.step()
        assert server.exists("dubbing:job:open")
    app.close()
    said = [r for r in caplog.records if "cannot do all that it was started for" in r.message]
    assert len(said) == 1


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("installation"), slots=1) as system:
            system.ready()
            yield system


def becomes(system: System, state: WorkerState) -> list[WorkerRecord]:
    """Return the records of both workers once they are in this state."""

    def there() -> bool:
        return [worker.state for worker in system.client.fleet.workers()] == [state, state]

    system.until(there, state.value)
    return system.client.fleet.workers()


def test_workers_take_nothing_from_the_redis_of_another_installation_until_it_is_theirs(
    system: System,
) -> None:
    with redis.from_url(system.redis.url) as server:
        id_ = server.get(KEY)
        server.flushall()
        system.until(lambda: server.get(KEY) == id_, "set again")
        # After the next loss, a worker of another installation comes first.
        server.set(KEY, "another")
        for worker in becomes(system, WorkerState.ERROR):
            assert worker.queues == ()
            assert "do not belong to the same installation" in "".join(worker.errors)
        server.delete(KEY)
        becomes(system, WorkerState.READY)
        assert server.get(KEY) == id_
    assert system.log("faulty").count("do not belong to the same installation") == 1


def test_workers_whose_folder_is_not_mounted_take_nothing_until_it_is(system: System) -> None:
    job = script("mounted", *numbered("Mounted", 8, "<slow:0.1>"))
    system.client.submit(job)
    system.begun(job, 1)
    storage = Path(system.settings.storage)
    storage.rename(storage.with_name("elsewhere"))
    # A worker that stores something just now makes it as well.
    storage.mkdir(exist_ok=True)
    for worker in becomes(system, WorkerState.ERROR):
        assert "is its folder mounted" in "".join(worker.errors)
    left = [path for path in storage.rglob("*") if path.is_file()]
    assert not [path for path in left if path.name in {Keys.INSTALLATION, "end.json"}]
    assert not [path for path in left if path.parent.name == "results"]
    storage.rename(storage.with_name("empty"))
    storage.with_name("elsewhere").rename(storage)
    becomes(system, WorkerState.READY)
    system.wait("mounted")
    assert system.whole(job)
