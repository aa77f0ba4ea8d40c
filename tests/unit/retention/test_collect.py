"""Collecting garbage in a folder: what goes, what stays, and what happens beside it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dubbing.assembly.report import REPORT
from dubbing.engines.adapters.tone import Tone
from dubbing.errors import Conflict, NotFound, StorageUnavailable
from dubbing.job import Job, JobState, Role, Segment
from dubbing.jobs import index
from dubbing.jobs.fetch import fetch_output
from dubbing.jobs.revision import open_retry
from dubbing.jobs.store import End, load_job
from dubbing.media.samples import Audio
from dubbing.planning.plan import Reason, Round, plan_round, write_plan
from dubbing.planning.result import BatchResult, SegmentResult, Take
from dubbing.retention import collect as collecting
from dubbing.retention.collect import Collected, collect
from dubbing.retention.rules import DAY, OTHERS, Bound, Kind, Rules
from dubbing.storage import Entry, Keys, Storage
from dubbing.storage.holds import held, shared_by
from dubbing.submission.uploads import Upload
from dubbing.voices.store import store_voice
from dubbing.voices.voice import Voice

LONG_AGO = time.time() - 40 * DAY
VOICE, FILM = "ab" * 32, "cd" * 32


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


def age(storage: Storage, prefix: str = "", at: float = LONG_AGO) -> None:
    """Have an object, or all objects below a prefix, be of that time."""
    for key in [prefix] if prefix and storage.exists(prefix) else storage.keys(prefix):
        path = storage.path(key)
        assert path
        os.utime(path, (at, at))


def clip(text: str) -> str:
    return Keys.clip(hashlib.sha256(text.encode()).hexdigest())


def store_job(storage: Storage, name: str, *clips: str, **of_job: Any) -> Job:
    """Store a job that was completed long ago, with an output and its clips."""
    segments = (Segment(id="1", start=0, end=3, text="Good day."),)
    job = Job(**{"id": name, "language": "en", "engine": "tone", "segments": segments, **of_job})
    storage.create(Keys.job(name), job.as_stored())
    index.enter(storage, name)
    store_round(storage, job, 1, *clips)
    age(storage, Keys.job_folder(name))
    return job


def store_round(storage: Storage, job: Job, number: int, *clips: str) -> None:
    plan = write_plan(Round(reason=Reason.SUBMIT, asked=number), plan_round([], "en", {}))
    storage.create(Keys.plan(job.id, number), plan)
    store_result(storage, job.id, number, *clips)
    output = Keys.output(job.id, number, "run")
    end = End(state=JobState.COMPLETED, round=number, at=LONG_AGO, output=output)
    storage.create(f"{output}dub.flac", b"a sound")
    storage.create(output + REPORT, b"{}")
    storage.create(f"{Keys.kept(job.tenant, job.id)}{number}-9", b"")
    storage.create(Keys.end(job.id, number), end.model_dump_json().encode())


def store_result(storage: Storage, job: str, round_: int, *clips: str) -> None:
    for key in clips:
        storage.create(key, b"a clip")
    takes = tuple(Take(key=key, speed=1, seconds=1, level=-20, digest="12" * 32) for key in clips)
    line = SegmentResult(id="1", takes=takes, engine="tone", model="m", seed=0, attempts=1)
    result = BatchResult(batch=0, worker="w", segments=(line,))
    storage.create(Keys.result(job, round_, 0), result.model_dump_json().encode())


def removed(found: Collected) -> dict[tuple[str, str], int]:
    return {(one.kind.value, one.tenant): one.objects for one in found.removed}


def rules(**kinds: Bound) -> Rules:
    return Rules({(OTHERS, Kind(name)): bound for name, bound in kinds.items()})


def test_clips_go_that_no_job_names_and_nobody_used_for_a_week(storage: Storage) -> None:
    store_job(storage, "kept", clip("named"), clip("twice"))
    for text in ("garbage", "twice", "just spoken", "used again"):
        storage.create(clip(text), b"sound")
    storage.create("clips/ab/notes.txt", b"of another program")
    age(storage, Keys.CLIPS)
    storage.replace(clip("just spoken"), b"sound")
    storage.renew(clip("used again"), *storage.get_dated(clip("used again")))
    tried = collect(storage, Rules(), dry=True)
    assert removed(tried) == {("clips", "*"): 1}
    assert storage.exists(clip("garbage"))
    done = collect(storage, Rules())
    assert done.removed == tried.removed
    left = {key for key in storage.keys(Keys.CLIPS) if key.endswith(".flac")}
    assert left == {*map(clip, ("named", "twice", "just spoken", "used again"))}
    assert not storage.exists(Keys.COLLECTING)


def test_of_too_many_clips_that_nobody_names_the_oldest_go(storage: Storage) -> None:
    store_job(storage, "kept", clip("named"))
    for days in range(1, 6):
        storage.create(clip(f"of {days}"), bytes(100))
        age(storage, clip(f"of {days}"), time.time() - days * DAY - 60)
    collect(storage, rules(clips=Bound(size=250)))
    left = {days for days in range(1, 6) if storage.exists(clip(f"of {days}"))}
    assert left == {1, 2}
    collect(storage, rules(clips=Bound(size=0)))
    assert storage.exists(clip("named"))
    assert not storage.exists(clip("of 1"))


def test_a_damaged_job_keeps_what_it_names(storage: Storage) -> None:
    store_job(storage, "job", clip("named"))
    whole = storage.get(Keys.result("job", 1, 0))
    storage.replace(Keys.result("job", 1, 0), whole[: whole.index(b".flac") + 5])
    storage.replace(Keys.job("job"), b"garbage")
    age(storage)
    assert removed(collect(storage, rules(outputs=Bound(age=DAY), rounds=Bound(age=DAY)))) == {}


def test_outputs_go_by_age_and_size_of_each_tenant_and_the_job_says_so(
    storage: Storage, tmp_path: Path
) -> None:
    for tenant in ("acme", "other"):
        store_job(storage, f"of-{tenant}", tenant=tenant)
    acme = Rules({("acme", Kind.OUTPUTS): Bound(age=30 * DAY)})
    assert removed(collect(storage, acme)) == {("outputs", "acme"): 2}
    assert list(storage.keys(Keys.kept("acme"))) == []
    assert len(list(storage.keys(Keys.kept("other")))) == 1
    with pytest.raises(NotFound, match="were removed: to have them made again, submit"):
        fetch_output(storage, Keys.output("of-acme", 1, "run"), tmp_path / "out", "")
    assert load_job(storage, "of-acme")
    assert removed(collect(storage, rules(outputs=Bound(size=8)))) == {("outputs", "other"): 2}


def test_runs_that_came_second_go_and_so_do_leftovers_of_deleted_jobs(storage: Storage) -> None:
    store_job(storage, "job")
    storage.create(f"{Keys.output('job', 1, 'late')}dub.flac", b"second")
    storage.create(f"{Keys.output('open', 1, 'late')}dub.flac", b"not ended")
    storage.create(Keys.job("open"), b'{"tenant": "acme"}')
    storage.create(Keys.result("deleted", 1, 0), b"too late")
    assert removed(collect(storage, Rules())) == {}
    age(storage)
    assert removed(collect(storage, Rules())) == {("strays", "*"): 1, ("strays", "default"): 1}
    assert storage.exists(f"{Keys.output('job', 1, 'run')}dub.flac")
    assert storage.exists(f"{Keys.output('open', 1, 'late')}dub.flac")


def test_a_job_without_its_rounds_frees_its_clips_and_is_spoken_again_when_retried(
    storage: Storage,
) -> None:
    job = store_job(storage, "job", clip("one"))
    storage.delete(Keys.end("job", 1))
    end = End(state=JobState.CANCELLED, round=2, at=LONG_AGO)
    storage.create(Keys.plan("job", 2), storage.get(Keys.plan("job", 1)))
    storage.create(Keys.end("job", 2), end.model_dump_json().encode())
    age(storage)
    found = collect(storage, rules(rounds=Bound(age=30 * DAY)))
    assert removed(found) == {("rounds", "default"): 2, ("clips", "*"): 1, ("strays", "default"): 2}
    assert not storage.exists(Keys.plan("job", 1))
    spoken: list[int] = []
    open_retry(storage, {"tone": Tone.spec}, "job", charge=spoken.append)
    assert spoken == [len(job.segments)]


def test_media_goes_that_neither_a_job_nor_an_upload_names(storage: Storage) -> None:
    store_job(storage, "job", media=Keys.media(FILM))
    old, new = "0" * 24, "1" * 24
    for digest in (FILM, "0a" * 32, "0b" * 32, "0c" * 32):
        storage.create(Keys.media(digest), b"a film")
    for id_, digest in ((old, "0a"), (new, "0b")):
        upload = Upload(id=id_, tenant="acme", key=Keys.media(digest * 32), created=0, bytes=6)
        storage.create(Keys.upload("acme", id_), upload.model_dump_json().encode())
    age(storage)
    assert removed(collect(storage, Rules())) == {("media", "*"): 1}
    assert not storage.exists(Keys.media("0c" * 32))
    storage.replace(Keys.upload("acme", new), storage.get(Keys.upload("acme", new)))
    found = collect(storage, rules(uploads=Bound(age=30 * DAY)))
    assert removed(found) == {("uploads", "acme"): 1, ("media", "*"): 1}
    assert storage.exists(Keys.media(FILM))
    assert storage.exists(Keys.media("0b" * 32))


def test_media_stays_when_writers_may_take_the_marks_of_its_deletion_for_abandoned(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.create(Keys.media(FILM), b"a film")
    age(storage)
    monkeypatch.setattr(collecting, "MARKED_SECONDS", 0.0)
    assert removed(collect(storage, Rules())) == {}
    monkeypatch.undo()
    assert removed(collect(storage, Rules())) == {("media", "*"): 1}


def test_voices_go_by_a_rule_that_have_no_name_and_no_job(storage: Storage) -> None:
    sound = Audio(samples=np.ones(2400, np.float32) / 2, rate=24_000)
    for digest in (VOICE, FILM, "0e" * 32):
        store_voice(storage, Voice(digest=digest, seconds=8), sound)
    storage.create(Keys.voice_name("ada", "acme"), FILM.encode())
    store_job(storage, "job", cast={"Ada": Role(clone=VOICE)})
    age(storage)
    assert removed(collect(storage, Rules())) == {}
    assert removed(collect(storage, rules(voices=Bound(age=30 * DAY)))) == {("voices", "*"): 2}
    there = [storage.exists(Keys.voice(digest)) for digest in (VOICE, FILM, "0e" * 32)]
    assert there == [True, True, False]


def test_sounds_of_films_without_speech_go_by_a_rule_unless_they_are_used(
    storage: Storage,
) -> None:
    for name in ("old", "used"):
        storage.create(f"{Keys.BACKGROUNDS}{name}.flac", b"music")
    age(storage)
    storage.touch(f"{Keys.BACKGROUNDS}used.flac")
    assert removed(collect(storage, Rules())) == {}
    assert removed(collect(storage, rules(backgrounds=Bound(0, 0)))) == {("backgrounds", "*"): 1}
    assert storage.exists(f"{Keys.BACKGROUNDS}used.flac")


def test_messages_of_webhooks_go_by_age_of_each_tenant(storage: Storage) -> None:
    old, young = time.time() - 31 * DAY, time.time() - 29 * DAY
    for tenant in ("default", "acme"):
        for name, at in {"old": old, "young": young}.items():
            for key in (Keys.told(tenant, "ab", name), Keys.dead(tenant, "ab", name)):
                storage.create(key, b"")
                age(storage, key, at)
    rules = Rules({("acme", Kind.MESSAGES): Bound(age=7 * DAY)})
    removed = collect(storage, rules).removed
    assert [(one.tenant, one.objects) for one in removed if one.kind is Kind.MESSAGES] == [
        ("acme", 4),
        ("default", 2),
    ]
    kept = [*storage.keys(Keys.TOLD), *storage.keys(Keys.UNTOLD)]
    assert kept == [Keys.told("default", "ab", "young"), Keys.dead("default", "ab", "young")]


def test_one_collects_at_a_time_and_one_that_was_killed_is_followed_after_an_hour(
    storage: Storage,
) -> None:
    storage.create(Keys.COLLECTING, b"")
    with pytest.raises(Conflict, match="under way"):
        collect(storage, Rules())
    age(storage, Keys.COLLECTING)
    collect(storage, Rules())


def test_nothing_is_removed_while_the_jobs_are_not_mounted(storage: Storage) -> None:
    storage.create(clip("of a job elsewhere"), b"sound")
    storage.create(Keys.submitted("elsewhere", LONG_AGO), b"")
    age(storage)
    with pytest.raises(StorageUnavailable, match="is all of its folder mounted"):
        collect(storage, Rules())
    assert storage.exists(clip("of a job elsewhere"))


class Interrupted(Storage):
    """A storage in which another process does its work just before one call."""

    def __init__(self, url: str, at: int, work: Callable[[], object]) -> None:
        super().__init__(None, url)
        self.calls: list[str] = []
        self._at, self._work = at, work

    def _count(self, call: str) -> None:
        self.calls.append(call)
        if len(self.calls) == self._at + 1:
            self._work()

    def entries(self, prefix: str) -> Iterator[Entry]:
        self._count(f"list {prefix}")
        return super().entries(prefix)

    def create(self, key: str, data: bytes) -> bool:
        self._count(f"create {key}")
        return super().create(key, data)

    def modified(self, key: str) -> float | None:
        self._count(f"look at {key}")
        return super().modified(key)

    def delete(self, key: str) -> None:
        self._count(f"delete {key}")
        super().delete(key)


@pytest.mark.parametrize("at", range(24))
def test_a_job_that_begins_meanwhile_has_its_film_and_its_clips_or_is_refused(
    storage: Storage, at: int
) -> None:
    store_job(storage, "before")
    storage.create(Keys.media(FILM), b"a film")
    storage.create(clip("old"), b"a clip")
    age(storage)
    job = Job(id="new", language="en", engine="tone", media=Keys.media(FILM))
    accepted: list[bool] = []
    found: list[bool] = []

    def submit_and_speak() -> None:
        try:
            with held(storage, shared_by(job), job.id):
                storage.create(Keys.open("new"), b"")
                storage.create(Keys.job("new"), job.as_stored())
        except (NotFound, Conflict):
            accepted.append(False)
            return
        accepted.append(True)
        try:
            storage.renew(clip("old"), *storage.get_dated(clip("old")))
        except NotFound:
            found.append(False)
        else:
            found.append(True)
            store_result(storage, "new", 1, clip("old"))

    crossed = Interrupted(storage.url, at, submit_and_speak)
    collect(crossed, Rules())
    if not accepted:
        assert at >= len(crossed.calls)
        return
    assert storage.exists(Keys.media(FILM)) == accepted[0]
    # A clip that goes in the instant after the look at its time is spoken again, see
    # `integration/test_garbage.py`.
    gone = crossed.calls[at] == f"delete {clip('old')}"
    assert not found or storage.exists(clip("old")) == (found[0] and not gone)
