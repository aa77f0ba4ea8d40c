"""Workers and callers of this release beside those of a newer one, which wrote what they meet."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import accumulate
from typing import Any

import pytest
import redis
from console import Console
from ledgers import claim, record
from system import System, numbered, stored_job

from dubbing.client import Client
from dubbing.documents import FORMAT
from dubbing.embedded.stack import environment
from dubbing.job import Job, JobState
from dubbing.jobs.installation import Installation
from dubbing.jobs.rounds import create_first_round
from dubbing.jobs.store import End
from dubbing.ledger import Address, Claim, WorkerRecord, WorkerState
from dubbing.ledger.records import ASSEMBLY_TOKEN
from dubbing.planning.plan import BatchRef
from dubbing.queue import TASKS, Publisher, make_app
from dubbing.storage.keys import Keys
from workers.heartbeat import Heartbeat
from workers.reconciler import Reconciler

QUEUE = "synthesis.faulty"
NEW = {"colour": "blue"}
UPGRADE = "was written by a newer release of dubbing: upgrade this worker"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Workers of this release, of one process each."""
    with System(tmp_path_factory.mktemp("releases") / "home", slots=1) as system:
        system.ready()
        yield system


@pytest.fixture
def client(system: System) -> Client:
    return system.client


@pytest.fixture
def database(system: System) -> Iterator[redis.Redis]:
    with redis.from_url(system.redis.url, decode_responses=True) as connection:
        yield connection


def worker(system: System, engine: str) -> WorkerRecord:
    found = [w for w in system.client.fleet.workers() if w.engines == (engine,) and w.online]
    return found[0]


def store(client: Client, job: Job, **fields: Any) -> None:
    """Store a job and its plan, with these fields in ``job.json``."""
    data = job.model_dump(mode="json") | fields
    client.storage.create(Keys.job(job.id), json.dumps(data).encode())
    create_first_round(client.storage, job)


def with_fields(client: Client, job: Job, fields: dict[str, Any]) -> list[BatchRef]:
    """Add fields to each line of a job's plan; return the places of its batches."""
    first, *batches = client.storage.get(Keys.plan(job.id, 1)).splitlines()
    lines = [json.dumps(json.loads(line) | fields).encode() + b"\n" for line in (first, *batches)]
    client.storage.replace(Keys.plan(job.id, 1), b"".join(lines))
    ends = list(accumulate(map(len, lines)))
    return [
        BatchRef(
            number=number, offset=ends[number], length=len(line), queue=QUEUE, lines=4, deadline=60
        )
        for number, line in enumerate(lines[1:])
    ]


def test_unknown_fields_in_job_plan_and_messages_are_no_hindrance(
    system: System, client: Client
) -> None:
    job = stored_job("fields", *numbered("fields", 6), engine="faulty")
    store(client, job, **NEW)
    client.ledger.open_round(job, 1, with_fields(client, job, NEW))
    app = make_app(system.redis.url)
    for at in client.ledger.take({QUEUE: []}):
        app.send_task(TASKS[at.kind], kwargs=asdict(at) | NEW, queue=QUEUE)
    app.close()
    assert system.wait("fields").state is JobState.COMPLETED
    sent = {"ticket": "t", "order": "standby", "engines": [], **NEW}
    client.publisher.steer(worker(system, "faulty").name, sent)
    reply = client.ledger.requests.wait_reply("t", wait=20)
    assert reply
    assert reply["holding"]["loaded"] == ["faulty"]


def test_an_order_that_a_worker_does_not_know_is_answered(system: System, client: Client) -> None:
    sent = {"ticket": "u", "order": "quantise", "engines": ["faulty"]}
    client.publisher.steer(worker(system, "faulty").name, sent)
    reply = client.ledger.requests.wait_reply("u", wait=20)
    assert reply
    assert reply["error"]["code"] == "newer_release"
    assert reply["error"]["message"].endswith("which cannot do this: upgrade it")


def test_work_of_an_unknown_kind_is_left_for_others_to_send(client: Client) -> None:
    queue = "music.faulty"
    ref = BatchRef(number=0, offset=0, length=9, queue=queue, lines=1, deadline=60)
    client.ledger.open_round(stored_job("music", engine="faulty"), 1, [ref])
    assert client.publisher.fill([queue]) == 0
    (at,) = client.ledger.take({queue: []})
    assert (at.job, at.queue) == ("music", queue)
    client.ledger.end("music", 1, JobState.CANCELLED)


def test_heartbeats_that_cannot_be_read_hide_no_other_worker(
    system: System, database: redis.Redis
) -> None:
    # It may still tell of the work of the test before.
    system.until(lambda: worker(system, "faulty").state is WorkerState.READY, "ready")
    mine = worker(system, "faulty")
    warming = mine.model_dump(mode="json") | {"name": "next@h", "state": "warming", **NEW}
    for name, said in {"next@h": json.dumps(warming), "odd@h": '{"engines": 7}'}.items():
        database.set(f"dubbing:worker:{name}", f"{time.time()}|{said}", ex=60)
        database.zadd("dubbing:workers", {name: time.time()})
    console = Console(system.settings.home / "console", **environment(system.settings))
    rows = [row.split("\t") for row in console("workers").stdout.splitlines()]
    states = {row[0]: row[1] for row in rows}
    assert states["next@h"] == states["odd@h"] == "unknown"
    assert states[mine.name] == "ready"
    # What can be read of it is shown.
    assert {row[0]: row[5] for row in rows}["next@h"] == " ".join(mine.queues)
    database.delete("dubbing:worker:next@h", "dubbing:worker:odd@h")


def test_one_job_of_a_newer_release_hides_no_other_job(system: System, client: Client) -> None:
    end = End(state=JobState.COMPLETED, round=1, lines=1, done=1).model_dump(mode="json")
    ends = {
        "a-field": end | NEW,
        "a-state": end | {"state": "archived"},
        "a-format": end | {"format": FORMAT + 1},
    }
    for name, data in ends.items():
        store(client, stored_job(name, *numbered(name, 1), engine="faulty"))
        client.storage.create(Keys.end(name, 1), json.dumps(data).encode())
    console = Console(system.settings.home / "console", **environment(system.settings))
    states = {job["id"]: job["state"] for job in console.json("jobs")}
    assert states["a-field"] == "completed"
    assert states["a-state"] == states["a-format"] == "unreadable"
    assert console.json("status", "a-field")["state"] == "completed"
    refused = console("status", "a-format", code=2).stderr
    assert refused.endswith("was written by a newer release of dubbing: upgrade this one\n")


def test_a_reconciler_leaves_a_newer_job_says_so_once_and_restores_the_others(
    system: System, client: Client, database: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("x-newer", "y-plain"):
        store(client, stored_job(name, *numbered(name, 1), engine="faulty"))
    client.storage.replace(Keys.job("x-newer"), json.dumps({"format": FORMAT + 1}).encode())
    app = make_app(system.redis.url)
    publisher = Publisher(app, client.ledger)
    heartbeat = Heartbeat(app, client.ledger, publisher, record())
    installation = Installation(client.storage, client.ledger)
    installation.enter()
    reconciler = Reconciler(client.storage, client.ledger, heartbeat, installation)
    for _ in range(2):
        database.delete(f"dubbing:turn:rebuild:{FORMAT}")
        reconciler._rebuild()
    app.close()
    left = [r.message for r in caplog.records if "x-newer" in r.message]
    assert left == [
        "x-newer is left to workers of a newer release: jobs/x-newer/job.json was written by "
        "a newer release of dubbing: upgrade this one"
    ]
    assert client.storage.exists(Keys.open("x-newer"))
    assert client.ledger.standings.snapshot("x-newer") is None
    assert system.wait("y-plain").state is JobState.COMPLETED


# The last two leave the workers at rest, as they are until somebody upgrades them.


def test_a_plan_of_a_newer_format_is_handed_back_and_its_worker_asks_for_an_upgrade(
    system: System, client: Client, database: redis.Redis
) -> None:
    job = stored_job("newer", *numbered("newer", 6), engine="faulty")
    store(client, job)
    refs = with_fields(client, job, {"format": FORMAT + 1})
    client.ledger.open_round(job, 1, refs)
    client.publisher.fill([QUEUE])
    system.until(lambda: worker(system, "faulty").state is WorkerState.ERROR, "in error")
    found = worker(system, "faulty")
    assert found.errors == (f"work for faulty {UPGRADE}",)
    assert found.queues == ()
    nobody = "-|"
    system.until(
        lambda: all(owner.startswith(nobody) for owner in database.hvals("dubbing:owners")),
        "handed back",
    )
    assert not database.exists("dubbing:job:newer:deliveries")
    status = client.status("newer")
    assert (status.state, status.done, status.failed) == (JobState.SYNTHESIZING, 0, 0)
    assert status.unable == {"faulty": f"work for faulty {UPGRADE}"}
    assert system.log("faulty").count(f"started for: work for faulty {UPGRADE}") == 1
    # A worker of the newer release may do each batch.
    for ref in refs:
        at = Address(job="newer", round=1, token=ref.token, queue=QUEUE)
        assert claim(client.ledger, at, "newer") is Claim.RUN
    client.cancel("newer")


def test_a_job_of_a_newer_format_is_handed_back_by_the_worker_of_assembly(
    system: System, client: Client
) -> None:
    job = stored_job("film", *numbered("film", 1), engine="faulty")
    store(client, job)
    client.storage.replace(Keys.job("film"), json.dumps({"format": FORMAT + 1}).encode())
    assert client.ledger.open_round(job, 1, [])
    client.publisher.fill([ASSEMBLY_TOKEN])
    system.until(lambda: worker(system, "assembly").state is WorkerState.ERROR, "in error")
    found = worker(system, "assembly")
    assert found.errors == (f"work for assembly {UPGRADE}",)
    assert found.queues == ()
    assert client.storage.exists(Keys.open("film"))
    assert not client.storage.exists(Keys.end("film", 1))
