"""Pool processes killed, workers that stand still, huge jobs cancelled, and a Redis emptied."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
import redis
from ledgers import depth
from services import PLUGINS
from system import System, numbered, script

from dubbing.job import JobState
from dubbing.ledger.ledger import LEASE_SECONDS
from dubbing.queue import broker_lists, queues_of
from dubbing.script.manifest import Manifest


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("interrupted")) as system:
            yield system


def speakers(system: System, job: Manifest, *lines: str) -> list[int]:
    """Ids of the processes that began the lines of a job, or those named, in their order."""
    texts = lines or {segment.text for segment in job.segments}
    rows = [row.partition("\t") for row in system.spoken_log.read_text().splitlines()]
    return [int(pid) for pid, _, text in rows if text in texts]


def written(system: System, job: Manifest) -> dict[str, int | bytes]:
    """When each object of a job was written, and what each clip holds: its time tells its use."""
    storage = system.client.storage
    found: dict[str, int | bytes] = {key: storage.get(key) for key in storage.keys("clips/")}
    for key in system.keys(job):
        path = storage.path(key)
        assert path
        found[key] = path.stat().st_mtime_ns
    return found


def test_a_pool_process_that_is_killed_loses_what_it_had_not_stored_and_no_more(
    system: System,
) -> None:
    # Lines near in length are one batch: three that are good at once, and one at its second try.
    second_try = "Shot, line 3. <flaky> <slow:1>"
    others = numbered("Shot, of another batch, and longer", 8, "<slow:0.1>")
    job = script("shot", *numbered("Shot", 3), second_try, *others)
    system.client.submit(job)
    system.until(lambda: system.spoken(job)[second_try] == 2, "tried again")
    killed = speakers(system, job, second_try)[-1]
    os.kill(killed, signal.SIGKILL)
    system.wait("shot")
    assert system.whole(job)
    assert killed not in speakers(system, job, second_try)[2:]
    takes = [outcome.result.takes for outcome in system.outcomes(job).values()]
    assert len({take.key for found in takes for take in found}) == len(job.segments)
    spoken = system.spoken(job)
    assert spoken.pop(second_try) > 2
    assert set(spoken.values()) == {1}


def test_a_pool_process_that_is_told_to_end_hands_its_batch_back_at_once(system: System) -> None:
    job = script("told", *numbered("Told", 8, "<slow:0.3>"))
    system.client.submit(job)
    system.begun(job, 2)
    told = speakers(system, job)[0]
    with redis.from_url(system.settings.redis, decode_responses=True) as server:

        def holds() -> bool:
            return any(f"-{told}-" in owner for owner in server.hvals("dubbing:owners"))

        assert holds()
        os.kill(told, signal.SIGTERM)
        # Much sooner than its lease ends.
        system.until(lambda: not holds(), "handed back", LEASE_SECONDS / 3)
    system.wait("told")
    assert system.whole(job)
    assert system.spoken(job).total() <= 12


def test_a_batch_that_outlasts_its_lease_is_counted_once_and_its_late_worker_writes_nothing(
    system: System,
) -> None:
    job = script("outlasted", *numbered("Outlasted", 16, "<slow:0.2>"))
    system.client.submit(job)
    system.begun(job, 2)
    second = None
    try:
        with system.frozen("faulty"):
            late = set(speakers(system, job))
            second = system.launch("faulty")
            status = system.wait("outlasted")
            stored = written(system, job)
        assert (status.state, status.done, status.failed) == (JobState.COMPLETED, 16, 0)
        # When the late ones begin other lines, they are through with what they had.
        both = script("both", *numbered("Both", 80, "<slow:0.1>"))
        system.run(both)
        assert late < set(speakers(system, both))
        assert set(system.spoken(both).values()) == {1}
    finally:
        if second:
            second.terminate()
            second.wait(timeout=30)
    new = {outcome.result.takes[0].key for outcome in system.outcomes(both).values()}
    now = written(system, job)
    assert {key: what for key, what in now.items() if key not in new} == stored
    assert system.client.status("outlasted") == status
    assert system.whole(job)
    assert max(system.spoken(job).values()) == 2


def test_a_huge_job_that_is_cancelled_drains_at_once_and_writes_nothing_more(
    system: System,
) -> None:
    job = script("huge", *numbered("Huge", 10_000, "<slow:0.25>"))
    system.client.submit(job)
    # Both slots are in the middle of their first batch.
    system.begun(job, 2)
    begun = time.monotonic()
    assert system.client.cancel("huge").state is JobState.CANCELLED
    stored, spoken = system.keys(job), system.spoken(job).total()
    queue, _ = queues_of("faulty")
    system.until(lambda: not depth(system.client.ledger, broker_lists(queue)), "drained")
    assert time.monotonic() - begun < 5
    # When they have done other work, they are through with what they had begun.
    system.run(script("after", *numbered("After", 16, "<slow:0.05>")))
    assert system.keys(job) == stored
    # Each slot goes on to the end of the batch that it has in hand.
    assert system.spoken(job).total() <= spoken + 8
    with redis.from_url(system.settings.redis, decode_responses=True) as server:
        left = sorted(server.scan_iter("*huge*"))
        assert left == ["dubbing:job:huge", "dubbing:job:huge:events"]
        leases = server.zrange(f"dubbing:leases:{queue}", 0, -1)
    assert not [member for member in leases if member.startswith("huge|")]


def test_a_redis_that_is_emptied_brings_back_no_job_that_has_ended(system: System) -> None:
    done = script("done-before", *numbered("Done before", 3))
    system.run(done)
    stopped = script("stopped-before", *numbered("Stopped before", 24, "<slow:0.1>"))
    system.client.submit(stopped)
    system.begun(stopped, 2)
    system.client.cancel("stopped-before")
    job = script("under-way", *numbered("Under way", 24, "<slow:0.1>"))
    system.client.submit(job)
    system.begun(job, 10)
    ended = {id_: system.client.status(id_) for id_ in ("done-before", "stopped-before")}
    spoken = system.spoken(stopped).total()
    with redis.from_url(system.settings.redis) as server:
        server.flushall()
    assert system.wait("under-way").failed == 0
    assert system.whole(job)
    assert set(system.spoken(job).values()) == {1}
    assert {id_: system.client.status(id_) for id_ in ended} == ended
    assert system.spoken(stopped).total() == spoken
    assert set(system.spoken(done).values()) == {1}
