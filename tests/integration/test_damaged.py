"""Damaged documents in storage, and files of other programs: one odd job hides no other."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import redis
from ledgers import record
from system import numbered, script

from dubbing import cli
from dubbing.client import Client
from dubbing.documents import stored
from dubbing.embedded.stack import environment
from dubbing.errors import Damaged
from dubbing.job import Job, JobState
from dubbing.jobs.access import Access
from dubbing.jobs.batch_work import BatchRunner
from dubbing.jobs.installation import Installation
from dubbing.jobs.rounds import put_to_work, start
from dubbing.jobs.status import statuses_of
from dubbing.jobs.store import End, load_job
from dubbing.ledger import Address
from dubbing.queue import broker_lists, make_app
from dubbing.settings import Settings
from dubbing.storage.keys import Keys
from dubbing.system import System
from workers.heartbeat import Heartbeat
from workers.reconciler import Reconciler

DAMAGE = (b"", b"{", b"\xff\x00", b"[]", b'{"id": 7}', b"[" * 100_000, b"null\n" * 3)
OTHERS = (
    ".DS_Store",
    "@eaDir/000000.json",
    "lost+found/x",
    "._1",
    "1 2/plan.jsonl",
    "\u0663/x",
)
"""What other programs leave in the folders of a network drive."""


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = Settings(
        home=tmp_path, storage_url=str(tmp_path / "storage"), redis_url=redis_url, engine="tone"
    )
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def client(settings: Settings) -> Client:
    """A client with three jobs, of which Redis forgot all: a, b, and c that was cancelled."""
    client = Client(System(settings))
    for name in "abc":
        client.submit(script(name, *numbered("Line", 3), engine="tone", collection="all"))
    client.cancel("c")
    forget(settings)
    return client


def forget(settings: Settings) -> None:
    with redis.from_url(settings.redis_url) as server:
        server.flushall()


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code or 0) == code, out + err
    return out, err


def states(client: Client) -> dict[str, str]:
    listed = {status.id: status.state.value for status in client.jobs()}
    assert listed == {status.id: status.state.value for status in client.collection("all")}
    return listed


@pytest.mark.parametrize("data", DAMAGE[::3], ids=lambda data: repr(data[:9]))
@pytest.mark.parametrize(
    "key", [Keys.end("c", 1), Keys.job("a"), Keys.plan("a", 1)], ids=["end", "job", "plan"]
)
def test_a_damaged_job_is_unreadable_can_be_cancelled_and_hides_no_other(
    key: str, data: bytes, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = key.split("/")[1]
    known = {"a": "queued", "b": "queued", "c": "cancelled"}
    client.storage.replace(key, data)
    assert states(client) == known | {id_: "unreadable"}
    with pytest.raises(Damaged, match=re.escape(key)):
        client.status(id_)
    out, err = run(capsys, "jobs")
    assert re.search(rf"^{id_}\t.*\tunreadable\t0/0\t", out, re.MULTILINE)
    assert f"{key} cannot be read: it is damaged: " in err
    assert ": restore it from a backup, or remove it" in err
    out, _ = run(capsys, "jobs", "--json", "--state", "unreadable")
    (listed,) = json.loads(out)
    assert listed["error"]["code"] == "damaged"
    _, err = run(capsys, "status", id_, code=2)
    assert key in err
    out, _ = run(capsys, "cancel", id_)
    assert out.startswith(f"{id_}: cancelled, ")
    assert states(client) == known | {id_: "cancelled"}
    assert not client.storage.exists(Keys.open(id_))


def test_files_of_other_programs_are_no_jobs_rounds_results_engines_or_voices(
    client: Client, settings: Settings
) -> None:
    before = states(client)
    folders = (
        *(Keys.JOBS, Keys.rounds("a"), Keys.results("a", 1), Keys.revisions("a"), Keys.OPEN),
        *(Keys.collection("all"), Keys.VOICE_NAMES, Keys.ENGINES, "voices/"),
    )
    for folder, other in product(folders, OTHERS):
        path = Path(settings.storage_url, folder, other)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x00\x05")
    assert states(client) == before
    start(client.storage, client.ledger, client.publisher, load_job(client.storage, "a"))
    assert client.status("a").state is JobState.QUEUED
    assert client.voices.all() == []
    assert [*client.specs()] == [*Client(System(Settings())).specs()]
    assert client.cancel("a").state is JobState.CANCELLED
    assert client.retry("a").round == 2


def test_a_job_that_is_gone_since_the_list_was_made_is_left_out(client: Client) -> None:
    found = statuses_of(client.storage, client.ledger, ["a", "gone", "b"])
    assert [status.id for status in found] == ["a", "b"]


@pytest.fixture
def reconciler(client: Client, settings: Settings) -> Iterator[Reconciler]:
    app = make_app(settings.redis_url)
    heartbeat = Heartbeat(app, client.ledger, client.publisher, record())
    installation = Installation(client.storage, client.ledger)
    installation.enter()
    yield Reconciler(client.storage, client.ledger, heartbeat, installation)
    app.close()


@pytest.mark.parametrize("key", [Keys.job("a"), Keys.plan("a", 1)], ids=["job", "plan"])
def test_the_reconciler_says_once_what_is_damaged_and_restores_the_others(
    key: str,
    client: Client,
    settings: Settings,
    reconciler: Reconciler,
    caplog: pytest.LogCaptureFixture,
) -> None:
    whole = client.storage.get(key)
    client.storage.replace(key, b"{")
    for name in OTHERS:
        path = Path(settings.storage_url, Keys.OPEN, name)
        path.parent.mkdir(exist_ok=True)
        path.touch()

    def turn() -> list[str]:
        caplog.clear()
        forget(settings)
        reconciler._rebuild()
        told = (r for r in caplog.records if r.levelno > logging.INFO)
        return [f"{record.message}{record.exc_text or ''}" for record in told]

    (told,) = turn()
    assert told.startswith(
        f"a waits until it is mended or cancelled: {key} cannot be read: it is damaged: "
    )
    assert told.endswith(": restore it from a backup, or remove it")
    assert client.ledger.standings.snapshot("b")
    assert turn() == []
    client.storage.replace(key, whole)
    assert turn() == []
    assert client.ledger.standings.snapshot("a")
    client.storage.replace(key, b"{")
    assert len(turn()) == 1
    # Once the job is no longer open, the reason is forgotten.
    client.storage.delete(Keys.open("a"))
    assert turn() == []
    client.storage.create(Keys.open("a"), b"")
    assert len(turn()) == 1
    client.cancel("a")
    assert turn() == []


def test_a_job_that_storage_fails_to_read_holds_up_no_other(
    client: Client, settings: Settings, reconciler: Reconciler, caplog: pytest.LogCaptureFixture
) -> None:
    odd, *others = (key.removeprefix(Keys.OPEN) for key in client.storage.keys(Keys.OPEN))
    rounds = Path(settings.storage_url, Keys.rounds(odd))
    rounds.rename(rounds.with_name("away"))
    rounds.touch()
    for _ in range(2):
        forget(settings)
        reconciler._rebuild()
    assert all(map(client.ledger.standings.snapshot, others))
    told = [record.message for record in caplog.records if record.levelno > logging.INFO]
    assert len(told) == 1
    assert told[0].startswith(f"{odd} waits until its documents can be read: storage failed at ")
    rounds.unlink()
    rounds.with_name("away").rename(rounds)
    forget(settings)
    reconciler._rebuild()
    assert client.ledger.standings.snapshot(odd)


def taken(client: Client, queue: str = "synthesis.tone") -> Address:
    """Take one batch of job ``a``, as its message would be."""
    found = [at for at in client.ledger.take({queue: broker_lists(queue)}) if at.job == "a"]
    return found[0]


@pytest.mark.parametrize("data", DAMAGE[:2], ids=lambda data: repr(data[:9]))
def test_a_plan_that_is_damaged_while_it_is_worked_on_fails_its_job_at_once(
    data: bytes, client: Client
) -> None:
    put_to_work(client.storage, client.ledger, load_job(client.storage, "a"))
    at = taken(client)
    client.storage.replace(Keys.plan("a", 1), data)
    installation = Installation(client.storage, client.ledger)
    installation.enter()
    runner = BatchRunner(
        storage=client.storage,
        ledger=client.ledger,
        publisher=client.publisher,
        access=Access(client.storage, installation),
        worker="w",
    )
    with pytest.raises(Damaged, match=r"jobs/a/rounds/1/plan\.jsonl"):
        runner.run(at, never)
    status = client.status("a")
    assert status.state is JobState.FAILED
    assert status.error
    assert status.error.code == "damaged"
    assert status.lines == 3


def never(*arguments: Any) -> Any:
    raise AssertionError("nothing can be spoken")


def test_a_revision_that_is_lost_is_named(client: Client, settings: Settings) -> None:
    revised = script("c", *numbered("Other", 3), engine="tone", collection="all")
    client.revise(revised)
    client.cancel("c")
    (key,) = client.storage.keys(Keys.revisions("c"))
    client.storage.delete(key)
    with pytest.raises(Damaged, match=f"{key} cannot be read: it is missing"):
        load_job(client.storage, "c")
    assert client.file_names(["a", "b", "c"]) == {"a": "a", "b": "b", "c": "c"}


def test_a_damaged_end_of_an_earlier_round_hides_the_job_no_more(client: Client) -> None:
    client.retry("c")
    client.storage.replace(Keys.end("c", 1), b"{")
    assert client.status("c").state is JobState.QUEUED
    client.cancel("c")
    assert client.status("c").state is JobState.CANCELLED


@pytest.mark.parametrize("data", DAMAGE, ids=lambda data: repr(data[:9]))
@pytest.mark.parametrize("model", [Job, End])
def test_a_damaged_document_is_one_kind_of_error_that_names_its_key(
    model: type[Job | End], data: bytes
) -> None:
    with pytest.raises(Damaged, match="jobs/x cannot be read: it is damaged"):
        stored(model, data, "jobs/x")
