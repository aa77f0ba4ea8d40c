"""Transient errors of an engine before a line is spoken: tried again, within bounds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from installations import access
from scenes import voice
from services import PLUGINS
from system import numbered, stored_job

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.residency import Residency
from dubbing.errors import EngineAway, EngineFailed, Transient
from dubbing.job import Role
from dubbing.jobs import batch_work
from dubbing.jobs.batch_work import TRIES, BatchRunner
from dubbing.jobs.rounds import create_first_round, put_to_work
from dubbing.ledger import Ledger
from dubbing.planning.outcome import load_result
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices.store import store_voice
from dubbing.voices.voice import Voice
from tasks.context import Context, install
from tasks.speech import extract, synthesize

DIGEST = "ab" * 32
BAD_DAY = "the engine has a bad day"


class Worker:
    """A worker in this process, with a job whose one role clones a voice."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.storage = Storage.at(str(folder / "storage"))
        self.ledger = Ledger(redis_url)
        self.extractions = folder / "extractions"
        store_voice(self.storage, Voice(digest=DIGEST, seconds=3.0), voice(3.0))
        cast = {"speaker": Role(clone=DIGEST)}
        job = stored_job("j", *numbered("Line", 3), engine="faulty", cast=cast)
        self.storage.create(Keys.job("j"), job.model_dump_json().encode())
        create_first_round(self.storage, job)
        put_to_work(self.storage, self.ledger, job)
        runner = BatchRunner(
            storage=self.storage,
            ledger=self.ledger,
            publisher=self,
            access=access(self.storage, redis_url),
            worker="w",
            pause=0.0,
        )
        self.runner = runner
        install(Context(runner=runner, engines=Residency(Catalogue())))

    def fill(self, queues: Sequence[str]) -> int:
        """Publish nothing: what is due is taken below."""
        return 0

    def work(self) -> list[Transient]:
        """Do both batches of the job; return the errors with which they were handed back."""
        errors: list[Transient] = []
        deadline = time.monotonic() + 10
        while load_result(self.storage, "j", 1, 1) is None:
            assert time.monotonic() < deadline
            for task, queue in ((extract, "extraction.faulty"), (synthesize, "synthesis.faulty")):
                for at in self.ledger.take({queue: []}):
                    try:
                        task(**asdict(at))
                    except Transient as exc:
                        errors.append(exc)
        return errors

    def failures(self) -> list[str]:
        """The error of the extraction and those of the lines, as their codes."""
        found = [load_result(self.storage, "j", 1, number) for number in range(2)]
        records = [result.error for result in found if result]
        lines = [line.error for result in found if result for line in result.segments]
        return [record.code for record in (*records, *lines) if record]


@pytest.fixture
def worker(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Worker:
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.setattr(batch_work, "AWAY_SECONDS", 0.0)
    worker = Worker(tmp_path, redis_url)
    monkeypatch.setenv("FAULTY_EXTRACTIONS", str(worker.extractions))
    return worker


def test_an_extraction_that_fails_is_tried_again(worker: Worker) -> None:
    worker.extractions.write_text("<failed>\n" * (TRIES - 1))
    errors = worker.work()
    assert [type(exc) for exc in errors] == [EngineFailed] * (TRIES - 1)
    assert worker.failures() == []


def test_an_extraction_that_always_fails_is_reported_on_its_lines(worker: Worker) -> None:
    worker.extractions.write_text("<failed>\n" * 50)
    assert len(worker.work()) == TRIES - 1
    assert worker.failures() == ["engine_failed"] * 4
    assert worker.extractions.read_text().count("<failed>") == 50 - TRIES


def test_an_engine_that_is_away_costs_an_extraction_no_try(worker: Worker) -> None:
    worker.extractions.write_text("<away>\n" * 2 * TRIES)
    assert [type(exc) for exc in worker.work()] == [EngineAway] * 2 * TRIES
    assert worker.failures() == []


def test_a_voice_that_its_lines_have_to_derive_is_tried_again(worker: Worker) -> None:
    worker.extractions.write_text("")
    (at,) = worker.ledger.take({"extraction.faulty": []})
    extract(**asdict(at))
    (form,) = (key for key in worker.storage.keys(f"voices/{DIGEST}") if "safetensors" in key)
    worker.storage.delete(form)
    worker.extractions.write_text("<failed>\n")
    # The process that extracted the voice remembers it; another one does not.
    install(Context(runner=worker.runner, engines=Residency(Catalogue())))
    assert [str(exc) for exc in worker.work()] == [BAD_DAY]
    assert worker.failures() == []
