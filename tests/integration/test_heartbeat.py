"""What keeps a worker online waits for nothing."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest
import s3_server as s3
from proxy import Answer, proxy_before
from services import PLUGINS
from system import System

from dubbing.ledger import WorkerState
from dubbing.queue.fleet import Order
from dubbing.storage import S3Options

SOON = 5.0
"""Seconds within which a change of state is published; the storage hangs for longer."""


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
        settings = {
            "storage_url": f"s3://{s3.BUCKETS[0]}/{uuid.uuid4().hex}",
            "s3_endpoint": proxy.url,
            "s3_region": s3_options.region,
            "s3_access_key_id": s3_options.access_key_id,
            "s3_secret_access_key": s3_options.secret_access_key,
        }
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
