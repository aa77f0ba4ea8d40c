"""The way of a job through real processes, undisturbed and disturbed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
import redis
import s3_server as s3
import soundfile
from ledgers import depth
from services import PLUGINS
from speech import recording
from system import SECONDS, System, numbered, script

from dubbing.client import by_state
from dubbing.errors import BadInput, Conflict
from dubbing.job import JobState, Output
from dubbing.ledger import Address
from dubbing.planning.plan import read_refs
from dubbing.queue import TASKS, broker_lists, make_app
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.storage import S3Options, Storage
from dubbing.storage.keys import Keys


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("way")) as system:
            yield system


def test_a_job_ends_in_sound_and_a_report_of_every_line(system: System, tmp_path: Path) -> None:
    job = script("plain", *numbered("Plain", 5))
    status = system.run(job)
    assert (status.state, status.done, status.failed) == (JobState.COMPLETED, 5, 0)
    assert system.whole(job)
    assert set(system.spoken(job).values()) == {1}
    assert len(system.spoken(job)) == 5
    paths = {path.name: path for path in system.client.fetch("plain", tmp_path)}
    assert {"dub.flac", "report.json"} <= set(paths)
    assert soundfile.info(paths["dub.flac"]).duration > 20
    system.unmarked("plain")


def test_the_same_request_is_the_same_job(system: System) -> None:
    job = script("twice", *numbered("Twice", 3))
    first = system.run(job)
    stored = system.keys(job)
    again = system.client.submit(job)
    assert not again.created
    assert system.client.status(again.id) == first
    assert system.keys(job) == stored
    assert set(system.spoken(job).values()) == {1}


def test_another_request_under_the_id_is_a_conflict(system: System) -> None:
    job = script("taken", *numbered("Taken", 2))
    system.run(job)
    stored = {key: system.client.storage.get(key) for key in system.keys(job)}
    with pytest.raises(Conflict, match="taken"):
        system.client.submit(script("taken", *numbered("Other", 2)))
    assert {key: system.client.storage.get(key) for key in system.keys(job)} == stored


def test_an_edited_line_is_the_only_one_that_is_spoken(system: System) -> None:
    texts = numbered("Edited", 8)
    system.run(script("draft", *texts))
    edited = script("final", *texts[:5], "Edited, and quite another line.", *texts[6:])
    system.run(edited)
    assert system.whole(edited)
    assert set(system.spoken(edited).values()) == {1}
    attempts = {id_: outcome.result.attempts for id_, outcome in system.outcomes(edited).items()}
    assert {id_ for id_, count in attempts.items() if count} == {"5"}


def test_a_line_that_cannot_be_spoken_fails_the_job_when_all_others_are(system: System) -> None:
    job = script("broken", *numbered("Broken", 6), "And this one fails. <broken>")
    system.switch.touch()
    status = system.run(job)
    assert (status.state, status.done, status.failed) == (JobState.FAILED, 7, 1)
    failed = [line for line in system.report(job).lines if line.error]
    assert [(line.id, line.error and line.error.code) for line in failed] == [
        ("6", "speech_rejected")
    ]
    before = system.spoken(job)
    assert len(before) == 7

    system.switch.unlink()
    system.client.retry("broken")
    assert system.wait("broken").round == 2
    assert system.whole(job)
    assert system.spoken(job) - before == {job.segments[6].text: 1}
    with pytest.raises(Conflict, match="nothing to retry"):
        system.client.retry("broken")


def test_lines_are_spoken_in_the_voice_of_a_reference(system: System, tmp_path: Path) -> None:
    sound = recording()
    soundfile.write(tmp_path / "ada.wav", sound.samples, sound.rate)
    job = script("cloned", *numbered("Cloned", 5))
    cast = {"speaker": ManifestRole(reference=str(tmp_path / "ada.wav"))}
    system.run(job.model_copy(update={"cast": cast}))
    assert system.whole(job)
    voices = {line.voice for line in system.report(job).lines}
    assert len(voices) == 1
    digest = voices.pop().removeprefix("voice:")
    model = system.report(job).lines[0].model
    assert system.client.storage.exists(Keys.voice_form(digest, "faulty", 1, model))
    assert set(system.spoken(job).values()) == {1}


def test_a_reference_that_is_too_short_is_refused_before_anything_is_stored(
    system: System, tmp_path: Path
) -> None:
    sound = recording()
    soundfile.write(tmp_path / "short.wav", sound.samples[: sound.rate // 2], sound.rate)
    cast = {"speaker": ManifestRole(reference=str(tmp_path / "short.wav"))}
    job = script("hasty", *numbered("Hasty", 2), cast=cast)
    with pytest.raises(BadInput, match=r"short\.wav: 0\.5 s of speech are too short"):
        system.client.submit(job)
    assert system.keys(job) == set()
    assert not system.client.storage.exists(Keys.open("hasty"))


def test_a_clip_that_is_damaged_before_assembly_is_spoken_again(system: System) -> None:
    job = script("damaged", *numbered("Damaged", 6))
    with system.frozen("assembly"):
        system.client.submit(job)
        system.until(
            lambda: system.client.status("damaged").state is JobState.ASSEMBLING, "assembling"
        )
        take = system.outcomes(job)["3"].result.takes[0]
        system.client.storage.replace(take.key, b"no clip")
    status = system.wait("damaged")
    assert (status.round, status.lines, status.failed) == (2, 6, 0)
    assert system.whole(job)
    spoken = system.spoken(job)
    assert spoken.pop(job.segments[3].text) == 2
    assert set(spoken.values()) == {1}


def test_clips_that_changed_places_are_spoken_again_and_heard_in_their_own(system: System) -> None:
    job, storage = script("swapped", *numbered("Swapped", 5)), system.client.storage
    with system.frozen("assembly"):
        system.client.submit(job)
        system.until(
            lambda: system.client.status("swapped").state is JobState.ASSEMBLING, "assembling"
        )
        keys = [system.outcomes(job)[id_].result.takes[0].key for id_ in ("1", "3")]
        good = [storage.get(key) for key in keys]
        for key, data in zip(keys, reversed(good), strict=True):
            storage.replace(key, data)
    assert system.wait("swapped").round == 2
    assert system.whole(job)
    assert [storage.get(key) for key in keys] == good
    assert sorted(system.spoken(job).values()) == [1, 1, 1, 2, 2]


def test_a_message_that_comes_again_does_nothing(system: System) -> None:
    slow = numbered("Doubled, in a batch that is the last to end", 4, "<slow:0.5>")
    job = script("doubled", *numbered("Doubled", 12, "<slow:0.05>"), *slow)
    system.client.submit(job)
    system.until(lambda: system.client.status("doubled").done, "a batch counted")
    refs = read_refs(system.client.storage.get(Keys.plan("doubled", 1)))
    app = make_app(system.settings.redis)

    def send_again() -> None:
        for ref in refs:
            at = Address(job="doubled", round=1, token=ref.token, queue=ref.queue)
            app.send_task(TASKS[at.kind], kwargs=asdict(at), queue=at.queue)

    send_again()
    status = system.wait("doubled")
    send_again()
    queue = broker_lists(refs[0].queue)
    system.until(lambda: not depth(system.client.ledger, queue), "all messages taken")
    assert system.client.status("doubled") == status
    assert system.whole(job)
    assert set(system.spoken(job).values()) == {1}
    app.close()


def test_the_jobs_of_a_collection_are_asked_as_one(system: System) -> None:
    jobs = [
        script(f"episode-{n}", *numbered(f"Episode {n}", 2), collection="season") for n in range(3)
    ]
    system.client.submit_all(jobs)
    for job in jobs:
        system.wait(job.id)
    found = system.client.collection("season")
    assert [status.id for status in found] == ["episode-0", "episode-1", "episode-2"]
    assert by_state(found) == {"completed": 3}


def test_a_single_line_is_said_ahead_of_a_backlog_and_a_cancelled_job_stops(
    system: System,
) -> None:
    job = script("backlog", *numbered("Backlog", 80, "<slow:0.1>"))
    with ThreadPoolExecutor(1) as thread:
        with system.frozen("faulty"):
            system.client.submit(job)
            said = thread.submit(system.client.say, "Say this first.", language="en")
            with redis.from_url(system.settings.redis) as server:
                system.until(lambda: server.keys("dubbing:asking:*"), "asked")
        assert said.result(SECONDS).seconds == pytest.approx(1.0, abs=0.2)
    begun = [row.partition("\t")[2] for row in system.spoken_log.read_text().splitlines()]
    assert sum("Backlog" in text for text in begun[: begun.index("Say this first.")]) < 40
    system.begun(job, 2)

    assert system.client.cancel("backlog").state is JobState.CANCELLED
    spoken, stored = system.spoken(job).total(), system.keys(job)
    # When both slots have done other work, they are through with what they had begun.
    assert system.run(script("after", *numbered("After", 16, "<slow:0.05>"))).done == 16
    # A slot that was about to store its result when the job was cancelled stores it.
    assert (now := system.keys(job)) >= stored
    assert len(now - stored) <= 2
    assert all("/results/" in key for key in now - stored)
    assert system.spoken(job).total() <= spoken + 8
    assert system.client.status("backlog").state is JobState.CANCELLED
    with redis.from_url(system.settings.redis, decode_responses=True) as server:
        left = list(server.scan_iter("*backlog*"))
    assert sorted(left) == ["dubbing:job:backlog", "dubbing:job:backlog:events"]


def test_a_worker_that_is_told_to_end_finishes_what_it_began(system: System) -> None:
    job = script("deployed", *numbered("Deployed", 48, "<slow:0.1>"))
    system.client.submit(job)
    system.begun(job, 2)
    system.stop("faulty")
    assert len(system.spoken(job)) < 48
    system.start("faulty")
    system.wait("deployed")
    assert system.whole(job)
    assert set(system.spoken(job).values()) == {1}


def test_a_worker_that_is_killed_is_followed_by_another(system: System) -> None:
    job = script("killed", *numbered("Killed", 24, "<slow:0.15>"))
    system.client.submit(job)
    system.begun(job, 10)
    system.kill("faulty")
    stored = set(system.client.storage.keys("clips/"))
    system.start("faulty")
    system.wait("killed")
    assert system.whole(job)
    again = [text for text, count in system.spoken(job).items() if count > 1]
    outcomes = system.outcomes(job).values()
    assert len(again) <= 8
    assert not [
        outcome.line.spoken
        for outcome in outcomes
        if outcome.line.spoken in again and outcome.result.takes[0].key in stored
    ]


def test_a_redis_that_is_started_anew_finds_its_workers_again(system: System) -> None:
    job = script("restarted", *numbered("Restarted", 24, "<slow:0.15>"))
    system.client.submit(job)
    system.begun(job, 10)
    system.restart_redis()
    system.wait("restarted")
    assert system.whole(job)
    assert set(system.spoken(job).values()) == {1}


def delivered(there: Storage) -> dict[str, bytes]:
    """Return the content of each file among the results, by name."""
    return {key.removeprefix("results/"): there.get(key) for key in there.keys("")}


def test_the_way_of_a_job_through_object_storage(
    tmp_path: Path, s3_options: S3Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    place = f"s3://{s3.BUCKETS[1]}/{uuid.uuid4().hex}"
    there = Storage.at(place, s3_options)
    options = s3.settings(s3_options) | {"granted_targets": [place]}
    output = Output(name="remote.en", to=f"{place}/results/")
    job: Manifest = script("remote", *numbered("Remote", 6), output=output)
    with System(tmp_path / "home", slots=1, **options) as system:
        system.run(job)
        assert system.whole(job)
        assert set(system.spoken(job).values()) == {1}
        paths = system.client.fetch("remote", tmp_path / "out")
        assert soundfile.info(tmp_path / "out" / "remote.en.dub.flac").duration > 25
        assert all(path.stat().st_size for path in paths)
        # Results are delivered as they are fetched, and a revision replaces them.
        assert delivered(there) == {path.name: path.read_bytes() for path in paths}
        system.client.revise(script("remote", *numbered("Revised", 6), output=output))
        system.wait("remote")
        paths = system.client.fetch("remote", tmp_path / "out")
        assert delivered(there) == {path.name: path.read_bytes() for path in paths}
        assert [file.delivered_to for file in system.report(job).outputs] == [
            f"{place}/results/remote.en.{name}" for name in ("dub.flac", "dub.srt")
        ]
    assert not (tmp_path / "home" / "storage").exists()
