"""How often a worker asks Redis: each answer may take a tenth of a second."""

from __future__ import annotations

from pathlib import Path

import pytest
from installations import access
from ledgers import record
from services import PLUGINS
from system import numbered, stored_job
from turns import Turns, counting_turns

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.residency import Residency
from dubbing.jobs.batch_work import BatchRunner
from dubbing.jobs.rounds import create_first_round, put_to_work
from dubbing.ledger import Address, Ledger
from dubbing.planning.plan import read_refs
from dubbing.queue import Publisher, make_app
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from tasks.context import Context

QUEUE = "synthesis.faulty"
BATCH = 4
"""Lines of a batch of the faulty engine."""
WARM, MEASURED = 8, 20
"""Batches before the round trips are counted, and those whose round trips are."""


def test_a_batch_takes_four_round_trips(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    with counting_turns(redis_url.removeprefix("unix://")) as turns:
        found = counted(tmp_path, f"redis://127.0.0.1:{turns.port}", turns)
    # Threads that meet open connections, which costs some more.
    assert 4 * MEASURED <= found < 5 * MEASURED


def counted(folder: Path, url: str, turns: Turns) -> int:
    """Return the round trips of a worker for some batches in the midst of a job."""
    storage = Storage.at(str(folder / "storage"))
    # No lease is renewed meanwhile.
    ledger = Ledger(url, lease=600.0)
    ledger.crew.beat(record(queues=(QUEUE,)))
    app = make_app(url)
    runner = BatchRunner(
        storage=storage,
        ledger=ledger,
        publisher=Publisher(app, ledger),
        access=access(storage, url),
        worker="w",
    )
    job = stored_job("j", *numbered("Line", 40 * BATCH), engine="faulty")
    storage.create(Keys.job("j"), job.model_dump_json().encode())
    create_first_round(storage, job)
    put_to_work(storage, ledger, job)
    runner.publisher.fill([QUEUE])
    plan = Keys.plan("j", 1)
    refs = read_refs(storage.get(plan), plan)
    batches = [Address(job="j", round=1, token=ref.token, queue=QUEUE) for ref in refs]
    pipeline = Context(runner=runner, engines=Residency(Catalogue())).pipeline
    # The first ones open connections and load scripts.
    for at in batches[:WARM]:
        pipeline.run(at)
    pipeline.settle()
    before = turns.count
    for at in batches[WARM : WARM + MEASURED]:
        pipeline.run(at)
    pipeline.settle()
    # What was read ahead is left to others, in one round trip.
    pipeline.close()
    app.close()
    return turns.count - before - 1
