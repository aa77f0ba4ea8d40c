"""How often workers and clients ask Redis: each answer may take a tenth of a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from installations import access
from ledgers import record
from services import PLUGINS
from system import numbered, script, stored_job
from turns import Turns, counting_turns

from dubbing.client import Client
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.residency import Residency
from dubbing.job import JobState
from dubbing.jobs.batch_work import BatchRunner
from dubbing.jobs.rounds import create_first_round, put_to_work
from dubbing.ledger import Address, Ledger
from dubbing.planning.plan import read_refs
from dubbing.queue import Publisher, make_app
from dubbing.settings import Settings
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


def test_a_client_takes_few_round_trips(tmp_path: Path, redis_url: str) -> None:
    with counting_turns(redis_url.removeprefix("unix://")) as turns:
        url = f"redis://127.0.0.1:{turns.port}"
        client = Client.connect(
            Settings(storage_url=str(tmp_path), redis_url=url, engine="tone", home=tmp_path)
        )

        # Room for many messages.
        client.ledger.crew.beat(record(slots=20))

        def asked(call: Callable[[str], object]) -> int:
            found = []
            for name in "abcde":
                before = turns.count
                call(name)
                found.append(turns.count - before)
            # An answer that comes in two parts counts as two.
            return min(found)

        def submit(name: str) -> object:
            return client.submit(script(name, *numbered(name, 2), engine="tone"))

        # Whether Redis can be written, and which installation it serves; then the round is opened,
        # its batches are chosen, and sent.
        assert asked(submit) == 3 + 3
        # Where it stands, and, as it waits, whether a worker says why.
        assert asked(client.status) == 2
        assert asked(lambda _: client.jobs()) == 2
        # None of them has failed, but all are looked at together.
        assert asked(lambda _: client.jobs(states=[JobState.FAILED], limit=1)) == 2


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
