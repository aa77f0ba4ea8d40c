"""What a worker takes from a queue, and what it refuses."""

from __future__ import annotations

import os
import time
from pathlib import Path

from kombu import Connection
from ledgers import depth

from dubbing.client import Client
from dubbing.embedded.stack import Stack
from dubbing.job import JobState, Segment
from dubbing.queue.publisher import BULK, broker_lists, celery_settings, queues_of
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings

DEADLINE = 60.0


class Exploit:
    """Unpickling it makes a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._path),)


def test_a_pickled_message_is_refused_unread_and_the_work_goes_on(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", redis_url="", storage_url="")
    queue = queues_of("tone")[0]
    with Stack(settings, ["tone", "assembly"]) as stack:
        options = celery_settings(settings.redis)
        with Connection(
            options["broker_url"], transport_options=options["broker_transport_options"]
        ) as connection:
            producer = connection.Producer(serializer="pickle")
            message = {"task": "dubbing.say", "id": "1", "args": [Exploit(tmp_path / "broken-in")]}
            producer.publish(message, routing_key=queue, priority=BULK)
        client = Client.connect(settings)
        line = Segment(id="1", start=0, end=3, text="And the work goes on.")
        submission = client.submit(Manifest(language="en", engine="tone", segments=(line,)))
        deadline = time.monotonic() + DEADLINE
        for status in client.watch(submission.id):
            stack.check()
            assert time.monotonic() < deadline, status
        assert status.state is JobState.COMPLETED
        assert depth(client.ledger, broker_lists(queue)) == 0
    assert not (tmp_path / "broken-in").exists()
