"""Workers that many share: jobs, tenants, and people who wait for a single line."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import redis
import soundfile
from ledgers import standings
from services import PLAIN, PLUGINS
from speech import recording
from system import SECONDS, System, numbered, script

from dubbing.job import JobState
from dubbing.planning.result import BatchResult
from dubbing.queue import broker_lists
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.storage.keys import Keys

QUEUE = "synthesis.faulty"
BATCH = 4
"""Lines of a batch of the faulty engine."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("shared"), slots=1) as system:
            system.run(script("first", *numbered("First", BATCH)))
            yield system


@contextmanager
def speakers(system: System, threads: int) -> Iterator[list[str]]:
    """Have so many people say one line after the other; yields what was said."""
    said: list[str] = []
    over = threading.Event()

    def speak(who: int) -> None:
        for n in count():
            if over.is_set():
                return
            text = f"Person {who} says line {n}. <slow:0.1>"
            system.client.say(text, language=PLAIN)
            said.append(text)

    people = [threading.Thread(target=speak, args=(who,)) for who in range(threads)]
    for person in people:
        person.start()
    try:
        yield said
    finally:
        over.set()
        for person in people:
            person.join(timeout=SECONDS)


@contextmanager
def depths(system: System) -> Iterator[list[int]]:
    """Look all the while how many batches lie on the queue; yields what was seen."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        with redis.from_url(system.settings.redis) as server:
            while not over.wait(0.002):
                seen.append(sum(server.llen(name) for name in broker_lists(QUEUE)))

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yield seen
    finally:
        over.set()
        looker.join()


@contextmanager
def second_worker(system: System) -> Iterator[None]:
    """Another worker of the engine, online during the block."""
    process = system.launch("faulty")
    try:
        system.ready(3)
        yield
    finally:
        process.terminate()
        assert process.wait(timeout=SECONDS) == 0


def all_spoken(system: System, job: Manifest) -> None:
    """Return once every line of a job is counted; nothing of it is assembled."""
    lines = len(job.segments)
    system.until(lambda: system.client.status(job.id).done == lines, "all of it spoken")
    system.client.cancel(job.id)


def results(system: System, job: Manifest) -> list[BatchResult]:
    keys = system.client.storage.keys(Keys.results(job.id, 1))
    return [BatchResult.model_validate_json(system.client.storage.get(key)) for key in keys]


def test_a_job_goes_on_while_people_say_lines_without_a_pause(system: System) -> None:
    job = script("stream", *numbered("Stream", 5 * BATCH))
    with speakers(system, 4) as said:
        system.until(lambda: len(said) > 4, "said")
        assert system.run(job).state is JobState.COMPLETED
    assert len(said) > 8


def test_a_line_that_is_said_waits_for_no_batch_but_those_that_run(system: System) -> None:
    # The first line loads what reads a language's numbers.
    system.client.say("Hello.", language="en")
    job = script("long", *numbered("Long", 10 * BATCH, "<slow:0.1>"))
    system.client.submit(job)
    system.begun(job, 2)
    with ThreadPoolExecutor(1) as thread, redis.from_url(system.settings.redis) as server:
        with system.frozen("faulty"):
            before = system.spoken(job).total()
            said = thread.submit(system.client.say, "May I?", language="en")
            system.until(lambda: server.keys("dubbing:asking:*"), "asked")
        said.result(SECONDS)
    # What was left of its batch, or one more that began just then: two others were published.
    texts = [row.partition("\t")[2] for row in system.spoken_log.read_text().splitlines()]
    lines = {segment.text for segment in job.segments}
    assert sum(text in lines for text in texts[: texts.index("May I?")]) - before < 2 * BATCH
    assert not system.client.status("long").state.ended
    system.client.cancel("long")


def test_a_voice_is_extracted_while_the_lines_of_others_wait(
    system: System, tmp_path: Path
) -> None:
    reference = tmp_path / "reference.wav"
    heard = recording()
    soundfile.write(reference, heard.samples, heard.rate)
    backlog = script("backlog", *numbered("Backlog", 60 * BATCH, "<slow:0.1>"))
    system.client.submit(backlog)
    system.begun(backlog, 1)
    cast = {"speaker": ManifestRole(reference=str(reference))}
    cloned = script("cloned", *numbered("Cloned", BATCH), cast=cast)
    assert system.run(cloned).state is JobState.COMPLETED
    assert not system.client.status("backlog").state.ended
    system.client.cancel("backlog")


def test_a_queue_stays_shallow_and_two_workers_share_it(system: System) -> None:
    jobs = [
        script(f"many{n}", *numbered(f"Many {n}", 8 * BATCH, "<slow:0.02>"), tenant=f"t{n % 2}")
        for n in range(4)
    ]
    with second_worker(system), depths(system) as seen:
        for job in jobs:
            system.client.submit(job)
        for job in jobs:
            all_spoken(system, job)
    assert 0 < max(seen) <= 2 * 2
    for job in jobs:
        assert set(system.spoken(job).values()) == {1}
    assert len({result.worker for job in jobs for result in results(system, job)}) == 2


def test_a_small_job_is_through_before_the_backlog_of_another_tenant(system: System) -> None:
    backlog = [
        script(f"big{n}", *numbered(f"Big {n}", 10 * BATCH, "<slow:0.05>"), tenant="big")
        for n in range(5)
    ]
    for job in backlog:
        system.client.submit(job)
    system.begun(backlog[0], 1)
    small = script("small", *numbered("Small", BATCH), tenant="small")
    assert system.run(small).state is JobState.COMPLETED
    assert not any(system.client.status(job.id).state.ended for job in backlog)
    for job in backlog:
        system.client.cancel(job.id)


def test_the_time_that_is_foretold_is_near_the_time_that_it_takes(system: System) -> None:
    with redis.from_url(system.settings.redis) as server:
        # The other tests' lines are quicker ones.
        server.delete(f"dubbing:pace:{QUEUE}")
    job = script("timed", *numbered("Timed", 10 * BATCH, "<slow:0.1>"))
    system.client.submit(job)
    system.until(lambda: system.client.status("timed").done >= 2 * BATCH, "on its way")
    begun = time.monotonic()
    (foretold,) = [at for at in standings(system.client.ledger, "timed") if at.queue == QUEUE]
    all_spoken(system, job)
    assert foretold.seconds == pytest.approx(time.monotonic() - begun, rel=0.5)
