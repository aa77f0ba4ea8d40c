"""What keeps a worker online waits for nothing."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest
import s3_server as s3
from ledgers import record
from proxy import Answer, proxy_before
from services import PLUGINS
from system import System

from dubbing.engines.holding import Holding
from dubbing.ledger import Ledger, WorkerState
from dubbing.queue import Publisher, make_app
from dubbing.queue.fleet import Order
from dubbing.storage import S3Options
from dubbing.storage.s3 import REQUEST_SECONDS
from workers.heartbeat import Heartbeat

SOON = REQUEST_SECONDS / 2
"""Seconds within which a change of state is published; the storage hangs for longer."""


def test_a_process_has_begun_as_soon_as_it_says_so(redis_url: str) -> None:
    ledger, app = Ledger(redis_url), make_app(redis_url)
    heartbeat = Heartbeat(app, ledger, Publisher(app, ledger), record(slots=2))
    heartbeat.begin()
    assert heartbeat.begun() == set()
    # It may hold a batch already, long before the next heartbeat.
    ledger.crew.hold("w@h", 1, Holding(begun=True))
    assert heartbeat.begun() == {1}
    app.close()


class OneWorker(System):
    ENGINES: ClassVar[Mapping[str, str]] = {"faulty": "faulty"}


def test_a_storage_that_hangs_keeps_no_worker_from_saying_how_it_is(
    tmp_path: Path, s3_options: S3Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    assert s3_options.endpoint
    hung = threading.Event()

    def hang(method: str, path: str) -> Answer:
        if "open" not in path:
            return Answer.PASS
        hung.set()
        return Answer.SILENCE

    with proxy_before(s3_options.endpoint) as proxy:
        settings = s3.settings(s3_options, proxy.url)
        with OneWorker(tmp_path / "home", slots=1, **settings) as system:
            system.ready(1)
            (worker,) = system.client.fleet.workers()
            # The reconciler lists the open jobs, and waits for the answer.
            proxy.answer = hang
            system.until(hung.is_set, "hung")
            system.client.fleet.steer(worker.name, Order.UNLOAD)
            system.until(
                lambda: system.client.fleet.workers()[0].state is WorkerState.STANDBY, "told", SOON
            )
            proxy.over.set()
