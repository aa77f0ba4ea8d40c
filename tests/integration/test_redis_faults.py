"""A Redis that is killed in the middle of jobs and comes back with what it wrote to disk."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import pytest
from deaf import deaf_line
from kombu import Message
from redis_server import RedisServer, free_port
from services import PLUGINS
from system import System, numbered, script

from dubbing.errors import QueueUnavailable
from dubbing.job import JobState
from dubbing.ledger import Ledger
from dubbing.ledger.ledger import LEASE_SECONDS
from dubbing.queue import make_app, queues_of

CONNECTIONS = 4
"""Connections of a worker that ask something within seconds: to take work, to tell of itself."""
LONGER_THAN_ANY_CALL = 10.0
"""Seconds after which every call to Redis that was under way has given up."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("killed"), append_only=True) as system:
            yield system


def test_a_connection_that_broke_with_a_message_in_hand_is_left_without_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RedisServer() as server:
        app = make_app(server.url)
        app.send_task("anything", queue="q")
        messages: list[Message] = []
        connection = app.connection_for_read()
        consumer = connection.Consumer(app.amqp.queues["q"], accept=["json"])
        consumer.register_callback(lambda body, message: messages.append(message))
        consumer.consume()
        connection.drain_events(timeout=5)
        with pytest.raises(TimeoutError):  # so that it listens when Redis ends
            connection.drain_events(timeout=0.1)
        server.kill()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        # What a worker of Celery does that has lost its connection, and then ends its task.
        connection.collect()
        connection.close()
        messages[0].ack_log_error(logging.getLogger(), connection.connection_errors)
        app.close()
    assert list(tmp_path.iterdir()) == []


def test_a_call_waits_for_a_redis_that_is_back_in_a_moment() -> None:
    with RedisServer() as server, ThreadPoolExecutor(1) as thread:
        ledger = Ledger(server.url)
        ledger.installation()
        server.kill()
        asked = thread.submit(ledger.installation)
        server.start()
        asked.result()


def test_a_redis_that_stays_away_is_reported_before_long() -> None:
    with RedisServer() as server:
        ledger = Ledger(server.url)
        server.kill()
        begun = time.monotonic()
        with pytest.raises(QueueUnavailable, match="does not answer"):
            ledger.installation()
        assert time.monotonic() - begun < LONGER_THAN_ANY_CALL


def lose_redis(system: System, seconds: float) -> None:
    system.redis.kill()
    time.sleep(seconds)
    system.redis.start()


def test_short_outages_cost_no_worker_and_no_line_a_second_time(system: System) -> None:
    job = script("away", *numbered("Away", 60, "<slow:0.1>"))
    system.client.submit(job)
    for begun, seconds in (10, 0.0), (20, 0.5), (30, 0.0), (40, LEASE_SECONDS / 3):
        system.begun(job, begun)
        lose_redis(system, seconds)
    system.wait(job.id)
    assert system.whole(job)
    assert set(system.spoken(job).values()) == {1}
    assert "Connection to broker lost" in system.log("faulty")
    assert "DeprecationWarning" not in system.log("faulty")


def test_a_long_outage_ends_and_the_same_workers_go_on(system: System) -> None:
    job = script("long", *numbered("Long", 24, "<slow:0.2>"))
    system.client.submit(job)
    system.begun(job, 10)
    lose_redis(system, LONGER_THAN_ANY_CALL)
    stored = set(system.client.storage.keys("clips/"))
    system.wait(job.id)
    assert system.whole(job)
    again = {text for text, count in system.spoken(job).items() if count > 1}
    outcomes = system.outcomes(job).values()
    assert not [
        outcome.line.spoken
        for outcome in outcomes
        if outcome.line.spoken in again and outcome.result.takes[0].key in stored
    ]
    # Two slots of four lines were at work.
    assert len(again) <= 8


def test_a_line_that_kills_its_process_is_given_up_although_redis_was_away(system: System) -> None:
    job = script("deadly", *numbered("Deadly", 3), "This one kills its process. <slow:0.5> <kill>")
    system.client.submit(job)
    # The longest line comes first.
    system.begun(job, 1)
    lose_redis(system, 1.0)
    status = system.wait(job.id)
    assert (status.state, status.done, status.failed) == (JobState.FAILED, 4, 1)
    (failed,) = [line for line in system.report(job).lines if line.error]
    assert (failed.id, failed.error and failed.error.code) == ("3", "given_up")
    # How often it was begun is known to the Redis that comes back.
    assert system.spoken(job)[failed.text] == 3


class OneWorker(System):
    ENGINES: ClassVar[Mapping[str, str]] = {"faulty": "faulty"}


def test_a_worker_whose_connections_went_silent_takes_work_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A firewall or a router between the two forgot them: nobody is told.
    monkeypatch.syspath_prepend(str(PLUGINS))
    port = free_port()
    with (
        deaf_line(port) as line,
        OneWorker(tmp_path / "home", slots=1, port=port, seen_at=line.port) as system,
    ):
        system.ready(1)
        line.deaf = True
        system.until(lambda: line.lost >= CONNECTIONS, "silent")
        line.deaf = False
        job = script("after", *numbered("After", 4))
        system.client.submit(job)
        system.begun(job, 4)


def test_a_promoted_replica_that_lacks_what_came_last_costs_no_stored_line(system: System) -> None:
    job, over = (script(name, *numbered(name, 40, "<slow:0.1>")) for name in ("moved", "over"))
    system.client.submit(job)
    system.client.submit(over)
    system.begun(job, 4)
    system.redis.replicate()
    system.client.cancel(over.id)
    late = script("late", *numbered("Late", 4))
    system.client.submit(late)
    system.begun(job, 20)
    system.redis.promote()
    for one in (job, late):
        system.wait(one.id)
        assert system.whole(one)
        assert system.spoken_in_vain(one) == []
    system.until(lambda: not system.client.ledger.at_work(queues_of("faulty")), "given up")
    assert system.client.status(over.id).state is JobState.CANCELLED
