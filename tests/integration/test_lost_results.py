"""Results that storage lost, damages or shows late, on a real Redis and a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from ledgers import claim
from system import numbered, script

from dubbing.assembly.report import Report
from dubbing.client import Client
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.residency import Residency
from dubbing.errors import ResultUnreadable
from dubbing.job import JobState
from dubbing.jobs import finish as finishing
from dubbing.jobs.access import Access
from dubbing.jobs.batch_work import BatchRunner, Lease
from dubbing.jobs.rounds import put_to_work
from dubbing.jobs.store import load_job
from dubbing.ledger import Address
from dubbing.ledger.records import ASSEMBLY_TOKEN
from dubbing.planning.outcome import gather
from dubbing.planning.plan import Kind, read_refs
from dubbing.settings import Settings
from dubbing.storage.keys import Keys
from dubbing.system import System
from tasks import speech
from tasks.context import Context, current, install

LINES = 4
GOES_ON = "a newer round goes on"


class Works:
    """A job, and a worker of the tone engine and of assembly in this process."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.storage = client.storage
        self.runner = BatchRunner(
            storage=client.storage,
            ledger=client.ledger,
            publisher=client.publisher,
            access=Access(client.storage, client._system.installation),
            worker="w",
            pause=0.0,
        )
        install(Context(runner=self.runner, engines=Residency(Catalogue())))
        client.submit(script("j", *numbered("Line", LINES), engine="tone", allow_missing=0.5))

    def speak(self, round_: int) -> None:
        for ref in read_refs(self.storage.get(Keys.plan("j", round_))):
            speech.synthesize(job="j", round=round_, token=ref.token, queue=ref.queue)
            current().pipeline.settle()

    def finish(self, round_: int) -> str:
        at = Address(job="j", round=round_, token=ASSEMBLY_TOKEN, queue=Kind.ASSEMBLY.value)
        claim(self.client.ledger, at, "w")
        return finishing.finish(self.runner, Lease(self.client.ledger, at, "w"))

    def result(self, round_: int) -> Path:
        """The file of the only result of a round."""
        return Path(self.storage.url) / Keys.result("j", round_, 0)

    def whole(self) -> bool:
        status = self.client.status("j")
        report = Report.model_validate_json(self.storage.get(f"{status.output}report.json"))
        heard = [line.id for line in report.lines if line.clip and not line.error]
        return status.state is JobState.COMPLETED and len(heard) == LINES


@pytest.fixture
def works(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Works:
    # The waiting itself has a test of its own below.
    monkeypatch.setattr(finishing, "LATE_RESULTS", (0.01,))
    settings = Settings(storage_url=str(tmp_path / "storage"), redis_url=redis_url, engine="tone")
    return Works(Client(System(settings)))


@pytest.mark.parametrize("damage", [None, b"", b'{"batch": 0, "wor', b"[]", b'{"batch": 7}'])
def test_lines_whose_result_is_lost_are_asked_for_again_and_never_missing(
    works: Works, damage: bytes | None
) -> None:
    works.speak(1)
    if damage is None:
        works.result(1).unlink()
    else:
        works.result(1).write_bytes(damage)
    assert works.finish(1) == GOES_ON
    works.speak(2)
    assert works.finish(2) == "completed"
    assert works.whole()
    outcomes = gather(works.storage, "j", 2).values()
    assert [outcome.result.attempts for outcome in outcomes] == [0] * LINES


def test_a_result_that_storage_shows_late_is_waited_for(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "LATE_RESULTS", (0.01, 0.01, 0.01))
    works.speak(1)
    hidden = works.result(1).rename(works.result(1).with_suffix(".late"))
    looks = []

    def look(lease: Lease) -> None:
        looks.append(lease)
        if len(looks) == 2:
            hidden.rename(works.result(1))

    monkeypatch.setattr(Lease, "check", look)
    assert works.finish(1) == "completed"
    assert works.whole()


def test_a_result_that_was_damaged_before_redis_forgot_the_job_is_made_again(
    works: Works, redis_url: str
) -> None:
    works.speak(1)
    works.result(1).write_bytes(b'{"batch": 0, "wor')
    with redis.from_url(redis_url) as server:
        server.flushall()
    put_to_work(works.storage, works.client.ledger, load_job(works.storage, "j"))
    assert works.client.status("j").done == 0
    works.speak(1)
    assert works.finish(1) == "completed"
    assert works.whole()


def test_a_storage_that_keeps_losing_results_fails_the_job_after_three_repairs(
    works: Works,
) -> None:
    ends = []
    for round_ in (1, 2, 3, 4):
        works.speak(round_)
        works.result(round_).unlink()
        ends.append(works.finish(round_))
    assert ends == [*[GOES_ON] * 3, "failed"]
    error = works.client.status("j").error
    assert error
    assert error.code == ResultUnreadable.code
