"""Many jobs in one call: what they share is read and stored once, and an error spoils no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import s3_server as s3
from proxy import Answer, Proxy, proxy_before
from recordings import speech, write
from system import numbered, script

from dubbing.client import Client
from dubbing.errors import DubbingError
from dubbing.job import JobState, Output
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.settings import Settings
from dubbing.storage import S3Options
from dubbing.storage.keys import Keys

A_JOB = 12
"""Most requests that one more job costs."""


def jobs(*names: str, **fields: object) -> list[Manifest]:
    plain = {"engine": "tone", "output": Output(formats=("flac",)), **fields}
    return [script(name, *numbered(name, 2), **plain) for name in names]


@pytest.fixture
def local(tmp_path: Path, redis_url: str) -> Client:
    storage = str(tmp_path / "storage")
    return Client.connect(Settings(storage_url=storage, redis_url=redis_url, engine="tone"))


class Counted:
    """A client of a bucket, and the requests that it makes."""

    def __init__(self, settings: Settings, proxy: Proxy) -> None:
        self._client = Client.connect(settings)
        self._prefix = urlsplit(settings.storage_url).path
        self._made: Counter[str] = Counter()
        proxy.answer = self._note

    def _note(self, method: str, path: str) -> Answer:
        key = path.partition("?")[0].partition(self._prefix)[2].lstrip("/")
        self._made[f"{method} {key}"] += 1
        return Answer.PASS

    def submit(self, *some: Manifest) -> Counter[str]:
        """Submit jobs; return how often each request was made for them."""
        before = self._made.copy()
        submitted = self._client.submit_all(some)
        assert [one.id for one in submitted] == [job.id for job in some]
        return self._made - before


@pytest.fixture
def bucket(s3_options: S3Options, redis_url: str) -> Iterator[Counted]:
    with proxy_before(s3_options.endpoint or "") as proxy:
        options = s3.settings(s3_options, proxy.url)
        yield Counted(Settings(redis_url=redis_url, engine="tone", **options), proxy)


def of(made: Counter[str], beginning: str) -> int:
    return sum(times for request, times in made.items() if request.startswith(beginning))


def test_one_more_job_reads_no_spec_and_costs_a_few_requests(bucket: Counted) -> None:
    bucket.submit(*jobs("first"))
    few, more = bucket.submit(*jobs("a", "b")), bucket.submit(*jobs(*"cdefg"))
    for kind in ("GET engines", "PUT engines"):
        assert of(few, kind) == of(more, kind) > 0
    # A busy server has a request made again now and then, but not each time.
    again = bucket.submit(*jobs(*"hijkl"))
    assert min(more.total(), again.total()) - few.total() <= 3 * A_JOB


def test_a_film_and_a_voice_that_jobs_share_are_stored_once(
    tmp_path: Path, bucket: Counted
) -> None:
    film = write(tmp_path / "film.wav", speech("Annie"))
    voice = write(tmp_path / "voice.wav", speech("m3"))
    cast = {"speaker": ManifestRole(reference=str(voice))}
    shared = jobs(*"abcd", media=str(film), cast=cast)
    made = bucket.submit(*shared)
    assert of(made, "PUT media/") == 1
    assert sorted(
        key.rsplit("/", 1)[-1] for key, times in made.items() for _ in range(times)
        if key.startswith("PUT voices/") and "/holds/" not in key
    ) == ["reference.flac", "voice.json"]  # fmt: skip


def test_a_job_that_cannot_be_stored_leaves_the_others_whole_or_untouched(local: Client) -> None:
    some = jobs(*"abcdefgh")
    some[2] = some[2].model_copy(update={"collection": "season"})
    block = Path(local.storage.url) / "collections" / "season"
    block.parent.mkdir(parents=True)
    block.touch()
    with pytest.raises(DubbingError, match="season"):
        local.submit_all(some)
    assert not local.storage.exists(Keys.job("c"))
    stored = {job.id for job in some if job.id and local.storage.exists(Keys.job(job.id))}
    for id_ in stored:
        status = local.status(id_)
        assert (status.state, status.lines) == (JobState.QUEUED, 2)
        assert local.ledger.standings.snapshot(id_)
    block.unlink()
    again = local.submit_all(some)
    assert {one.id for one in again if not one.created} == stored
    assert {status.id for status in local.jobs()} == {job.id for job in some}


def test_a_conflict_of_one_job_stores_none(local: Client) -> None:
    local.submit_all(jobs("d"))
    other = script("d", *numbered("Other", 2), engine="tone")
    with pytest.raises(DubbingError, match="'d' belongs to another request"):
        local.submit_all([*jobs("a", "b"), other])
    assert [status.id for status in local.jobs()] == ["d"]
