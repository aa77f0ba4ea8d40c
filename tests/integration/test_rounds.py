"""Rounds whose writes broke off or crossed each other, on a real Redis and a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import redis
from ledgers import QUEUE, begin, claim, deliveries
from system import numbered, script, stored_job

from dubbing.client import Client
from dubbing.documents import FORMAT
from dubbing.engines.adapters.tone import Tone
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.published import Published, announce, known_specs
from dubbing.engines.residency import Residency
from dubbing.errors import (
    BadInput,
    ClipUnreadable,
    Damaged,
    Stopped,
    StorageUnavailable,
    WrongInstallation,
)
from dubbing.job import Job, JobState, Role
from dubbing.jobs import access as access_module
from dubbing.jobs import batch_work
from dubbing.jobs import finish as finishing
from dubbing.jobs.access import Access
from dubbing.jobs.batch_work import BatchRunner
from dubbing.jobs.lease import Lease
from dubbing.jobs.rounds import create_round, put_to_work
from dubbing.jobs.store import End, latest_round, load_end, load_job, load_round
from dubbing.ledger import Address, Audit
from dubbing.ledger.records import ASSEMBLY_TOKEN
from dubbing.planning.casting import cast_lines
from dubbing.planning.outcome import gather
from dubbing.planning.plan import Batch, Kind, Reason, Round, read_refs
from dubbing.planning.result import BatchResult
from dubbing.queue import batch_lists
from dubbing.settings import Settings
from dubbing.storage.keys import Keys
from dubbing.system import System
from dubbing.telemetry.context import bound
from tasks import speech
from tasks.context import Context, current, install


@pytest.fixture
def client(tmp_path: Path, redis_url: str) -> Client:
    return Client(system(tmp_path, redis_url))


def system(tmp_path: Path, redis_url: str, engine: str = "tone") -> System:
    storage = str(tmp_path / "storage")
    models = tmp_path / "models"
    settings = Settings(storage_url=storage, redis_url=redis_url, models=models, engine=engine)
    return System(settings)


@pytest.fixture
def job(client: Client) -> Job:
    """A job that was submitted and waits."""
    client.submit(script("j", *numbered("Line", 3), engine="tone"))
    return load_job(client.storage, "j")


def runner(client: Client) -> BatchRunner:
    return BatchRunner(
        storage=client.storage,
        ledger=client.ledger,
        publisher=client.publisher,
        access=Access(client.storage, client._system.installation),
        worker="w",
        pause=0.0,
    )


def assembling(client: Client, round_: int) -> Lease:
    at = Address(job="j", round=round_, token=ASSEMBLY_TOKEN, queue=Kind.ASSEMBLY.value)
    claim(client.ledger, at, "w")
    return Lease(client.ledger, at, "w")


def open_round(client: Client, job: Job, count: int) -> None:
    """Plan a second round that speaks the first lines again."""
    lines = cast_lines(job, job.segments[:count], client.specs())
    create_round(client.storage, job, 2, Round(reason=Reason.REPAIR, asked=1), lines)


def marked(client: Client) -> bool:
    return client.storage.exists(Keys.open("j"))


def test_an_empty_folder_of_a_write_that_broke_off_is_no_round(client: Client, job: Job) -> None:
    rounds = Path(client.storage.url) / Keys.rounds("j")
    (rounds / "2").mkdir()
    (Path(client.storage.url) / "jobs" / "broken").mkdir()
    assert latest_round(client.storage, "j") == 1
    assert [status.id for status in client.jobs()] == ["j"]
    assert client.cancel("j").state is JobState.CANCELLED
    assert client.retry("j").round == 2


def test_a_batch_names_request_and_tenant_also_after_redis_was_emptied(
    client: Client, redis_url: str
) -> None:
    with bound(request="first"):
        client.submit(script("j", *numbered("Line", 3), engine="tone"))
    client.cancel("j")
    with bound(request="second"):
        client.retry("j")
    rounds = (load_round(client.storage, "j", number) for number in (1, 2))
    assert [round_.request_id for round_ in rounds] == ["first", "second"]
    with redis.from_url(redis_url) as server:
        server.flushdb()
        put_to_work(client.storage, client.ledger, load_job(client.storage, "j", 1))
        client.publisher.fill([QUEUE])
        (message,) = (entry for name in batch_lists(QUEUE) for entry in server.lrange(name, 0, -1))
        assert json.loads(message)["headers"]["request_id"] == "second"
        server.delete(*batch_lists(QUEUE))
    at = client.ledger.claim(Address(job="j", round=2, token="0:1:1:1:1", queue=QUEUE), "w")[1]
    own = {"job": "j", "round": 2, "batch": 0}
    assert at.context == {**own, "request": "second", "tenant": "default"}


def test_a_job_that_was_cancelled_before_it_was_planned_is_retried_whole(
    client: Client, job: Job
) -> None:
    client.cancel("j")
    plan = Path(client.storage.url) / Keys.plan("j", 1)
    plan.unlink()
    assert (client.retry("j").round, client.status("j").lines) == (2, 3)


def test_a_repair_of_a_job_that_is_cancelled_meanwhile_is_cancelled_too(
    client: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object, **__: object) -> None:
        raise ClipUnreadable(["1"])

    def crossed(*arguments: Any) -> bool:
        client.cancel("j")
        return create_round(*arguments)

    monkeypatch.setattr(finishing, "assemble", unreadable)
    monkeypatch.setattr(finishing, "LATE_RESULTS", ())
    monkeypatch.setattr(finishing, "create_round", crossed)
    assert finishing.finish(runner(client), assembling(client, 1)) == "cancelled"
    assert client.status("j").state is JobState.CANCELLED
    assert not marked(client)


def test_a_storage_that_keeps_damaging_a_clip_fails_the_job_after_three_repairs(
    client: Client, job: Job
) -> None:
    install(Context(runner=runner(client), engines=Residency(Catalogue())))

    def finished_with_damage(round_: int) -> str:
        for ref in read_refs(client.storage.get(Keys.plan("j", round_))):
            speech.synthesize(job="j", round=round_, token=ref.token, queue=ref.queue)
            current().pipeline.settle()
        take = gather(client.storage, "j", round_)["1"].result.takes[0]
        client.storage.replace(take.key, b"no clip")
        return finishing.finish(runner(client), assembling(client, round_))

    ends = [finished_with_damage(round_) for round_ in (1, 2, 3, 4)]
    assert ends == [*["a newer round goes on"] * 3, "failed"]
    status = client.status("j")
    assert (status.state, status.round) == (JobState.FAILED, 4)
    assert status.error
    assert status.error.code == ClipUnreadable.code
    assert not marked(client)


@pytest.mark.parametrize("step", ["before the clips", "before the end", "in a fault"])
def test_a_round_whose_storage_is_unmounted_in_the_midst_of_assembly_is_left_to_others(
    client: Client, job: Job, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_work, "AWAY_SECONDS", 0.0)
    monkeypatch.setattr(access_module, "PROBE_SECONDS", 0.05)
    here = runner(client)
    install(Context(runner=here, engines=Residency(Catalogue())))
    (ref,) = read_refs(client.storage.get(Keys.plan("j", 1)))
    speech.synthesize(job="j", round=1, token=ref.token, queue=ref.queue)
    current().pipeline.settle()
    place = Path(client.storage.url)
    away = place.with_name("away")
    assemble = finishing.assemble

    def unmounted(*arguments: Any, **options: Any) -> Any:
        report = assemble(*arguments, **options) if step == "before the end" else None
        place.rename(away)
        place.mkdir()
        if step == "in a fault":
            raise BadInput("no film")
        return report or assemble(*arguments, **options)

    monkeypatch.setattr(finishing, "assemble", unmounted)
    at = Address(job="j", round=1, token=ASSEMBLY_TOKEN, queue=Kind.ASSEMBLY.value)
    with pytest.raises(WrongInstallation), here.claimed(at) as lease:
        assert lease
        finishing.finish(here, lease)
    assert here.access.fault
    assert not list(place.rglob("*.json*"))
    shutil.rmtree(place)
    away.rename(place)
    assert client.status("j").state is JobState.ASSEMBLING
    assert client.ledger.audit(["j"]) == [Audit.SOUND]


@pytest.mark.parametrize("media", ["/etc/passwd", "media/../../../etc/passwd", "jobs/j/job.json"])
def test_a_job_whose_stored_media_lies_outside_fails_and_is_not_dubbed(
    client: Client, job: Job, media: str
) -> None:
    stored = json.loads(client.storage.get(Keys.job("j"))) | {"media": media}
    client.storage.replace(Keys.job("j"), json.dumps(stored).encode())
    at = Address(job="j", round=1, token=ASSEMBLY_TOKEN, queue=Kind.ASSEMBLY.value)
    with pytest.raises(Damaged), runner(client).claimed(at) as lease:
        assert lease
        finishing.finish(runner(client), lease)
    status = client.status("j")
    assert (status.state, status.output) == (JobState.FAILED, None)
    assert status.error
    assert status.error.message.startswith("jobs/j/job.json cannot be read: it is damaged: ")
    assert media in status.error.message


def test_an_assembly_that_comes_late_leaves_the_retry_of_a_cancelled_job_alone(
    client: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object, **__: object) -> None:
        raise ClipUnreadable(["1"])

    def crossed(*arguments: Any) -> bool:
        client.cancel("j")
        client.retry("j")
        return create_round(*arguments)

    monkeypatch.setattr(finishing, "assemble", unreadable)
    monkeypatch.setattr(finishing, "LATE_RESULTS", ())
    monkeypatch.setattr(finishing, "create_round", crossed)
    finishing.finish(runner(client), assembling(client, 1))
    assert client.status("j").state is JobState.QUEUED
    assert load_round(client.storage, "j", 2).reason is Reason.RETRY


def test_an_assembly_that_lost_its_lease_has_no_word(client: Client, job: Job) -> None:
    lease = assembling(client, 1)
    other = Lease(client.ledger, lease.at, "another")
    client.ledger.release(lease.at, "w")
    claim(client.ledger, lease.at, "another")
    with pytest.raises(Stopped):
        finishing._fail(runner(client), lease, BadInput("no film"))
    assert load_end(client.storage, "j", 1) is None
    finishing._fail(runner(client), other, BadInput("no film"))
    assert client.status("j").state is JobState.FAILED


def test_a_revised_job_that_is_submitted_as_it_first_was_keeps_its_revision(
    client: Client, job: Job, redis_url: str
) -> None:
    client.cancel("j")
    client.revise(script("j", *numbered("Line", 5), engine="tone", tenant="other"))
    with redis.from_url(redis_url) as server:
        server.flushall()
        again = script("j", *numbered("Line", 3), engine="tone")
        assert not client.submit(again).created
        assert server.hget("dubbing:job:j", "tenant") == b"other"
    now = client.status("j")
    assert (now.round, now.lines, now.done) == (2, 5, 0)


def test_the_deliveries_of_lines_that_used_up_their_time_stay_counted(
    client: Client, job: Job
) -> None:
    def too_slow(batch: Batch, lease: Lease) -> BatchResult:
        begin(client.ledger, lease.at, ["0"], "w")
        raise Stopped("its lease ran out")

    (ref,) = read_refs(client.storage.get(Keys.plan("j", 1)))
    at = Address(job="j", round=1, token=ref.token, queue=ref.queue)
    with pytest.raises(Stopped):
        runner(client).run(at, too_slow)
    assert deliveries(client.ledger, "j", "0") == [1]


def test_the_delivery_of_an_assembly_that_used_up_its_time_stays_counted(
    client: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(*_: object, **__: object) -> None:
        raise Stopped("its lease ran out")

    monkeypatch.setattr(finishing, "history", too_slow)
    with pytest.raises(Stopped):
        finishing.finish(runner(client), assembling(client, 1))
    assert deliveries(client.ledger, "j", finishing.DELIVERY) == [1]


def test_the_assembly_of_an_older_round_gives_way(client: Client, job: Job) -> None:
    lease = assembling(client, 1)
    open_round(client, job, 1)
    finishing.finish(runner(client), lease)
    assert load_end(client.storage, "j", 1) is None
    now = client.status("j")
    assert (now.round, now.lines, now.done) == (2, 3, 2)
    assert marked(client)


def test_a_cancel_reaches_a_round_that_the_ledger_does_not_know(client: Client, job: Job) -> None:
    open_round(client, job, 1)
    assert client.cancel("j").state is JobState.CANCELLED
    assert load_end(client.storage, "j", 2)
    assert not marked(client)


def cancelled_by_halves(client: Client, round_: int) -> None:
    """Leave a round as a cancel does that is killed between storage and the ledger."""
    end = End(state=JobState.CANCELLED, round=round_, lines=3)
    client.storage.create(Keys.end("j", round_), end.model_dump_json().encode())


def test_an_assembly_ends_the_job_whose_newer_round_was_cancelled_by_halves(
    client: Client, job: Job
) -> None:
    lease = assembling(client, 1)
    open_round(client, job, 1)
    cancelled_by_halves(client, 2)
    finishing.finish(runner(client), lease)
    assert client.status("j").state is JobState.CANCELLED
    with pytest.raises(Stopped):
        lease.check()
    assert not marked(client)


def test_a_job_that_was_cancelled_by_halves_is_not_left_to_a_ledger_that_lost_its_work(
    client: Client, job: Job, redis_url: str
) -> None:
    cancelled_by_halves(client, 1)
    with redis.from_url(redis_url) as server:
        server.delete(*server.keys("dubbing:published:*"), *server.keys("dubbing:job:j:todo:*"))
    assert client.ledger.audit(["j"]) == [Audit.BROKEN]
    put_to_work(client.storage, client.ledger, job)
    assert client.status("j").state is JobState.CANCELLED
    assert not marked(client)


def test_a_round_that_is_put_to_work_is_marked_open(client: Client, job: Job) -> None:
    client.cancel("j")
    open_round(client, job, 3)
    client.storage.delete(Keys.open("j"))
    put_to_work(client.storage, client.ledger, job)
    assert marked(client)


def test_a_storage_that_fails_is_no_fault_of_a_voice(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = {"speaker": Role(clone="ab" * 32)}
    cloned = stored_job("j", *numbered("Line", 1), engine="tone", cast=cast)
    client.storage.create(Keys.job("j"), cloned.model_dump_json().encode())
    put_to_work(client.storage, client.ledger, cloned)
    (at,) = client.ledger.take({"extraction.tone": []})
    context = Context(runner=runner(client), engines=Residency(Catalogue()))
    install(context)

    def down(*_: object) -> None:
        raise StorageUnavailable("it is down")

    monkeypatch.setattr(context, "form", down)
    for _ in range(4):
        with pytest.raises(StorageUnavailable):
            speech.extract(job=at.job, round=at.round, token=at.token, queue=at.queue)
    assert not list(client.storage.keys(Keys.results("j", 1)))


def test_a_job_of_an_engine_that_only_its_caller_knows_is_planned_by_anybody(
    client: Client, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "models" / "tone-deep").mkdir(parents=True)
    there = Client(system(tmp_path, redis_url, "tone-deep"))
    manifest = script("j", *numbered("Line", 2), engine="tone-deep")
    there.submit(manifest)
    assert there.preview(manifest).clips_there == 0
    job = load_job(client.storage, "j")
    # As a submission leaves it that broke off before its plan was written.
    client.storage.delete(Keys.plan("j", 1))
    with redis.from_url(redis_url) as connection:
        connection.flushall()
    assert "synthesis.tone-deep" in put_to_work(client.storage, client.ledger, job)


def test_what_a_caller_said_of_an_engine_gives_way_to_what_is_installed_and_loaded(
    client: Client,
) -> None:
    before = Tone.spec.model_copy(update={"voices": ("gone",)})
    announce(client.storage, [before])
    assert known_specs(client.storage, Catalogue())["tone"] == Tone.spec
    client.storage.replace(
        Keys.engine("tone"), Published(spec=before, model="ab").model_dump_json().encode()
    )
    assert known_specs(client.storage, Catalogue())["tone"] == before


def test_an_engine_of_a_newer_release_is_known_unless_its_format_is_newer(client: Client) -> None:
    newer = Published(spec=Tone.spec, model="ab").model_dump(mode="json")
    newer["spec"] |= {"name": "newer", "colour": "blue"}
    client.storage.create(Keys.engine("newer"), json.dumps(newer).encode())
    newer["spec"] |= {"name": "other"}
    newer["format"] = FORMAT + 1
    client.storage.create(Keys.engine("other"), json.dumps(newer).encode())
    known = known_specs(client.storage, Catalogue())
    assert "newer" in known
    assert "other" not in known


def test_speeds_lie_on_the_steps_of_their_clips() -> None:
    cast = {"speaker": Role(speed=1.03)}
    job = stored_job("j", *numbered("Line", 1), engine="tone", cast=cast)
    (line,) = cast_lines(job, job.segments, {"tone": Tone.spec})
    assert line.line.speed == 1.05
