"""Whatever lies in a Redis that others use too: work is neither lost to it nor ended by it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from celery import Celery
from kombu import Queue
from services import PLUGINS
from system import SECONDS, System, numbered, script

from dubbing.planning.plan import Kind
from dubbing.queue import queues_of

QUEUES = (*queues_of("faulty"), Kind.ASSEMBLY.value)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("broker")) as system:
            system.ready()
            yield system


def test_another_celery_app_with_queues_of_the_same_names_takes_nothing_and_ends_nobody(
    system: System,
) -> None:
    job = script("beside", *numbered("Beside another app", 8, "<slow:0.05>"))
    taken: list[str] = []
    other = Celery(broker=system.settings.redis.replace("unix://", "redis+socket://"))
    queues = [Queue(name, routing_key=name) for name in QUEUES]
    with other.connection() as connection, connection.Consumer(queues, accept=["json"]) as consumer:
        consumer.register_callback(lambda _, message: taken.append(message.headers["task"]))
        system.client.submit(job)
        other.send_task("theirs", queue=Kind.ASSEMBLY.value)
        other.control.shutdown()
        deadline = time.monotonic() + SECONDS
        while not system.client.status(job.id).state.ended and time.monotonic() < deadline:
            try:
                connection.drain_events(timeout=0.1)
            except TimeoutError:
                continue
    other.close()
    system.wait(job.id)
    assert system.whole(job)
    assert taken == ["theirs"]
