"""What tenants and collections use, from the marks in a folder."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from dubbing.cli import main
from dubbing.engines.usage import EndpointUse
from dubbing.errors import EngineFailed
from dubbing.job import Job, JobState
from dubbing.jobs.costs import enter
from dubbing.jobs.store import End
from dubbing.jobs.usage import account
from dubbing.ledger import Address
from dubbing.planning.result import BatchResult, unspoken
from dubbing.storage import Keys, Storage
from dubbing.usage import Usage, usage

MONTH = time.strftime("%Y-%m", time.gmtime())


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """Holds two jobs that ended this month: one of them is deleted since."""
    storage = Storage.at(str(tmp_path / "storage"))
    end_job(storage, Job(id="e-01", language="en", tenant="acme", collection="season"), seconds=2.5)
    end_job(storage, Job(id="old-1", language="en", tenant="acme"), seconds=1.0)
    storage.delete(Keys.job("old-1"))
    return storage


def end_job(storage: Storage, job: Job, seconds: float) -> None:
    storage.create(Keys.job(job.id), job.as_stored())
    if job.collection:
        storage.create(Keys.collection(job.collection, job.id), b"")
    error = EngineFailed("it failed").to_record()
    lines = [unspoken(str(n), "tone", 0, error) for n in range(4)]
    spoken = [line.model_copy(update={"error": None}) for line in lines[1:]]
    use = EndpointUse(engine="tone", seconds=seconds, cost=0.25, currency="CNY")
    result = BatchResult(batch=0, worker="w", segments=(lines[0], *spoken), used=(use,))
    storage.create(Keys.result(job.id, 1, 0), result.model_dump_json().encode())
    enter(storage, Address(job=job.id, round=1, token="0:0:0:0:4", queue="synthesis.tone"), result)
    output = Keys.output(job.id, 1, "run")
    storage.create(f"{output}dub.flac", bytes(1000))
    end = End(state=JobState.COMPLETED, round=1, output=output)
    account(storage, job, end)
    account(storage, job, end)


def test_each_tenant_and_collection_has_what_its_jobs_used(storage: Storage) -> None:
    common = {"tenant": "acme", "storage_bytes": 1000, "lines": 3, "costs": {"CNY": 0.25}}
    assert usage(storage, MONTH) == [
        Usage(collection="season", engine_seconds=2.5, **common),
        Usage(collection=None, engine_seconds=1.0, **common),
    ]
    assert {(one.lines, one.engine_seconds) for one in usage(storage, "2001-01")} == {(0, 0.0)}


def test_the_command_tells_one_collection(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DUBBING_STORAGE_URL", storage.url)
    with pytest.raises(SystemExit):
        main(["usage", "--collection", "season", "--json"])
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["tenant"], told["storage_bytes"], told["lines"]) == ("acme", 1000, 3)
    with pytest.raises(SystemExit):
        main(["usage", "--month", MONTH])
    assert "0.25 CNY" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["usage", "--month", "May"])
    assert ended.value.code == 2
    assert "write 2026-11" in capsys.readouterr().err
