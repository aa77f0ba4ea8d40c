"""Deleting a job: by the client and the command line, and by a process that dies midway."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import redis
from ledgers import record

from dubbing.cli import main
from dubbing.client import Client
from dubbing.errors import Conflict, NotFound
from dubbing.gateway.callers import Caller
from dubbing.gateway.facts import Facts
from dubbing.job import JobState, Segment
from dubbing.jobs.installation import Installation
from dubbing.ledger import Ledger
from dubbing.queue import make_app as make_queue
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings
from dubbing.storage import Keys, Storage
from workers.heartbeat import Heartbeat
from workers.reconciler import Reconciler

JOB = "scene"


class Died(BaseException):
    """Stands for the death of a process."""


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    return Settings(
        home=tmp_path, storage_url=str(tmp_path / "storage"), redis_url=redis_url, engine="tone"
    )


@pytest.fixture
def client(settings: Settings) -> Client:
    return Client.connect(settings)


def manifest(tenant: str = "default") -> Manifest:
    return Manifest(
        id=JOB,
        language="en",
        tenant=tenant,
        collection="season",
        segments=(Segment(id="1", start=0, end=1, text="Hello."),),
    )


def submit_ended(client: Client) -> None:
    """Submit a job whose two rounds were cancelled."""
    client.submit(manifest())
    client.cancel(JOB)
    client.retry(JOB)
    client.cancel(JOB)


def left(client: Client, redis_url: str) -> list[str]:
    """Return what storage and Redis keep of the job."""
    with redis.from_url(redis_url, decode_responses=True) as connection:
        known = [key for key in connection.scan_iter() if JOB in key or "ring:" in key]
        owners = connection.hkeys("dubbing:owners")
    return [*(key for key in client.storage.keys("") if JOB in key), *known, *owners]


def reconcile(client: Client, redis_url: str) -> None:
    """Do what a worker does every few seconds, for a job that somebody marked as open."""
    client.storage.create(Keys.open(JOB), b"")
    app = make_queue(redis_url)
    heartbeat = Heartbeat(app, client.ledger, client.publisher, record())
    installation = Installation(client.storage, client.ledger)
    Reconciler(client.storage, client.ledger, heartbeat, installation).step()
    app.close()


def test_a_job_is_deleted_once_it_has_ended(client: Client, redis_url: str) -> None:
    client.submit(manifest())
    with pytest.raises(Conflict, match="it first"):
        client.delete(JOB)
    client.cancel(JOB)
    client.storage.create(Keys.media("0" * 64), b"a film")
    client.delete(JOB)
    assert not left(client, redis_url)
    assert client.storage.exists(Keys.media("0" * 64))
    assert client.jobs() == []
    with pytest.raises(NotFound):
        client.delete(JOB)
    assert client.submit(manifest()).created
    assert client.status(JOB).state is JobState.QUEUED


@pytest.mark.parametrize("deletions", [0, 2, 4, 5, 6, 7, 8, 9])
def test_a_removal_that_dies_is_gone_on_with_and_nobody_puts_the_job_to_work(
    client: Client, redis_url: str, monkeypatch: pytest.MonkeyPatch, deletions: int
) -> None:
    submit_ended(client)
    alive = iter(range(deletions))
    delete, forget = Storage.delete, Ledger.forget

    def live() -> None:
        if next(alive, None) is None:
            raise Died

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(Storage, "delete", lambda *of: (live(), delete(*of)))
        patched.setattr(Ledger, "forget", lambda *of: (live(), forget(*of)))
        client.delete(JOB)
    reconcile(client, redis_url)
    assert client.status(JOB).state is JobState.CANCELLED
    with redis.from_url(redis_url) as connection:
        assert not connection.keys("dubbing:ring:*")
    client.delete(JOB)
    assert not left(client, redis_url)


def test_the_command_deletes_a_job(
    client: Client,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DUBBING_REDIS_URL", settings.redis_url)
    monkeypatch.setenv("DUBBING_STORAGE_URL", settings.storage_url)
    client.submit(manifest())
    for words, code in (("it first", 2), ("scene: deleted", 0), ("there is no job", 2)):
        with pytest.raises(SystemExit) as ended:
            main(["delete", JOB])
        assert (ended.value.code or 0) == code
        assert words in "".join(capsys.readouterr())
        if code and client.jobs():
            client.cancel(JOB)


def test_the_command_deletes_all_jobs_that_fit(
    client: Client,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DUBBING_REDIS_URL", settings.redis_url)
    monkeypatch.setenv("DUBBING_STORAGE_URL", settings.storage_url)
    for tenant in ("acme", "other"):
        client.submit(manifest(tenant).model_copy(update={"id": f"of-{tenant}"}))
        client.cancel(f"of-{tenant}")
    client.submit(manifest("acme"))

    def delete(*options: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["delete", *options])
        printed = capsys.readouterr()
        return printed.out if not ended.value.code else printed.err

    assert delete("--tenant", "acme", "--state", "cancelled", "--dry-run") == "of-acme\n"
    assert '"deleted": []' in delete("--tenant", "acme", "--older-than", "1h", "--json")
    assert json.loads(delete("of-acme", "--dry-run", "--json")) == {"would_delete": ["of-acme"]}
    assert "not both" in delete("--tenant", "acme", "of-acme")
    assert "name a job" in delete()
    assert "'--older-than'" in delete("--older-than", "soon")
    assert delete("--tenant", "acme", "--collection", "season") == "of-acme: deleted\n"
    assert {status.id for status in client.jobs()} == {JOB, "of-other"}


def test_another_gateway_forgets_whose_a_deleted_job_was(client: Client) -> None:
    facts = Facts(client.storage)
    before, after = (Caller(tenant=name, rights=frozenset()) for name in ("before", "after"))
    client.submit(manifest("before"))
    assert facts.check(before, JOB).tenant == "before"
    client.cancel(JOB)
    client.delete(JOB)
    with pytest.raises(NotFound):
        facts.check(before, JOB)
    facts = Facts(client.storage)
    client.submit(manifest("before"))
    assert facts.check(before, JOB)
    client.cancel(JOB)
    client.delete(JOB)
    client.submit(manifest("after"))
    assert facts.check(after, JOB).tenant == "after"
    with pytest.raises(NotFound):
        facts.check(before, JOB)
