"""The list of all jobs, the last submitted first, in a folder and in a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import ClassVar

import pytest
import s3_server as s3
from proxy import Answer, proxy_before
from services import PLUGINS
from system import System, stored_job

from dubbing.jobs.index import complete, enter, submitted_before
from dubbing.jobs.rounds import put_to_work
from dubbing.ledger import Ledger
from dubbing.storage import S3Options, Storage
from dubbing.storage.keys import Keys

MANY = 3 * s3.PAGE


def mark(storage: Storage, count: int) -> None:
    """Enter jobs ``j0``, ``j1``, …, submitted one second after the other, in an odd order."""
    for n in sorted(range(count), key=lambda n: n % 7):
        storage.create(Keys.submitted(f"j{n}", 1_000_000_000.0 + n), b"")
    storage.create(Keys.INDEXED, b"")


def submitted(storage: Storage, since: float = 0.0) -> Iterator[str]:
    """Yield the ids of the jobs in the index."""
    return (id_ for _, id_ in submitted_before(storage, None, since=since))


def marks(storage: Storage) -> list[str]:
    """Return the jobs that have a mark."""
    keys = set(storage.keys(Keys.SUBMITTED)) - {Keys.INDEXED}
    return sorted(id_ for id_, _ in map(Keys.submission, keys))


def store(storage: Storage, name: str) -> None:
    job = stored_job(name, "Words.", engine="tone")
    storage.create(Keys.job(name), job.model_dump_json().encode())


def test_the_last_submitted_job_comes_first(storage: Storage) -> None:
    mark(storage, MANY)
    assert list(submitted(storage)) == [f"j{n}" for n in reversed(range(MANY))]
    assert list(submitted(storage, since=1_000_000_000.0 + MANY - 2.5)) == [
        f"j{MANY - 1}",
        f"j{MANY - 2}",
    ]


def test_keys_of_other_programs_are_no_jobs(storage: Storage) -> None:
    mark(storage, 2)
    for odd in ("readme.txt", "12", "x-y", "0000000000001-.hidden", "0000000000002-"):
        storage.create(f"{Keys.SUBMITTED}{odd}", b"")
    assert list(submitted(storage)) == ["j1", "j0"]


def test_a_job_that_was_entered_twice_is_listed_once(storage: Storage) -> None:
    store(storage, "a")
    for _ in range(2):
        enter(storage, "a")
    assert marks(storage) == ["a"]
    # Its documents were copied to another storage, and a round was opened there.
    storage.create(Keys.submitted("a", 1_000_000_000.0), b"")
    storage.create(Keys.INDEXED, b"")
    assert list(submitted(storage)) == ["a"]


def test_a_job_that_is_not_stored_is_not_entered(storage: Storage) -> None:
    enter(storage, "nobody")
    assert marks(storage) == []


def test_jobs_of_an_earlier_release_are_listed_and_entered(storage: Storage) -> None:
    storage.create(Keys.submitted("new", 1_000_000_000.0), b"")
    store(storage, "old")
    # A submission that broke off.
    storage.create("jobs/none/rounds/1/plan.jsonl", b"")
    assert list(submitted(storage)) == ["old", "new"]
    assert not storage.exists(Keys.INDEXED)
    complete(storage)
    assert marks(storage) == ["new", "old"]
    assert storage.exists(Keys.INDEXED)
    assert list(submitted(storage)) == ["old", "new"]


def test_the_first_jobs_of_many_cost_one_page(s3_options: S3Options) -> None:
    mark(Storage.at("s3://dubbing/index", s3_options), MANY)
    asked: list[str] = []

    def note(method: str, path: str) -> Answer:
        asked.append(f"{method} {path}")
        return Answer.PASS

    assert s3_options.endpoint
    with proxy_before(s3_options.endpoint) as proxy:
        proxy.answer = note
        far = Storage.at("s3://dubbing/index", replace(s3_options, endpoint=proxy.url))
        assert len(list(islice(submitted(far), 20))) == 20
    assert len(asked) == 1, asked


def test_a_job_whose_submission_broke_off_is_entered_when_it_is_put_to_work(
    tmp_path: Path, redis_url: str
) -> None:
    storage = Storage.at(str(tmp_path))
    storage.create(Keys.INDEXED, b"")
    job = stored_job("a", "Words.", engine="tone")
    store(storage, "a")
    put_to_work(storage, Ledger(redis_url), job)
    assert list(submitted(storage)) == ["a"]


class NoWorker(System):
    ENGINES: ClassVar[Mapping[str, str]] = {}


def test_a_worker_enters_what_clients_of_an_earlier_release_submitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    with NoWorker(tmp_path, slots=1) as system:
        storage = system.client.storage
        store(storage, "a")
        system.start("faulty")
        system.until(lambda: storage.exists(Keys.INDEXED), "indexed")
        assert marks(storage) == ["a"]
        assert [status.id for status in system.client.jobs()] == ["a"]
