"""What each release stored and sent, as ``scripts/golden`` kept it, is read by the present code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from dubbing.assembly.report import Report
from dubbing.documents import received, stored
from dubbing.engines.holding import Holding
from dubbing.engines.published import Published
from dubbing.errors import ErrorRecord
from dubbing.job import Job
from dubbing.jobs.store import End
from dubbing.ledger import Address, WorkerRecord
from dubbing.planning.plan import Batch, Kind, Round, read_plan, read_refs, read_round
from dubbing.planning.result import BatchResult, SegmentResult
from dubbing.queue import SAY, STEER, TASKS
from dubbing.queue.fleet import WorkerCommand
from dubbing.queue.say import SayRequest
from dubbing.synthesis.ask import clip_key
from dubbing.voices.voice import Voice

GOLDEN = Path(__file__).parent.parent / "golden"
DOCUMENTS: Mapping[str, type[BaseModel]] = {
    "jobs/*/job.json": Job,
    "jobs/*/revisions/*.json": Job,
    "jobs/*/rounds/*/results/*.json": BatchResult,
    "jobs/*/rounds/*/end.json": End,
    "jobs/*/output/*/*/report.json": Report,
    "voices/*/voice.json": Voice,
    "engines/*.json": Published,
}
MESSAGES: Mapping[str, type[Any]] = {
    **dict.fromkeys(TASKS.values(), Address),
    SAY: SayRequest,
    STEER: WorkerCommand,
}
TABLES = frozenset({"cast", "pronunciations", "resting", "max_characters", "characters_per_second"})
"""Objects with names of the user's, where each name is known."""
NEW = {"of_a_newer_release": {"a": [1]}}

Read = Callable[[Any], Any]
"""Reads a value in JSON, and returns the model of it."""


def cases() -> Iterator[tuple[str, Read, Any]]:
    """Yield the name, the reader and the content of whatever was kept."""
    for release in sorted(GOLDEN.iterdir()):
        for pattern, model in DOCUMENTS.items():
            for path in found(release, pattern):
                yield name_of(path), partial(as_stored, model), json.loads(path.read_text())
        for path in found(release, "jobs/*/rounds/*/plan.jsonl"):
            first, *batches = map(json.loads, path.read_text().splitlines())
            yield f"{name_of(path)}:1", partial(as_stored, Round), first
            for number, batch in enumerate(batches, 2):
                yield f"{name_of(path)}:{number}", partial(as_stored, Batch), batch
        said = json.loads((release / "redis.json").read_text())
        for name, record in said["workers"].items():
            yield f"{release.name}/{name}", partial(as_stored, WorkerRecord), record
        for holding in said["holdings"]:
            yield f"{release.name}/holding", partial(as_stored, Holding), holding
        for task, message in said["messages"].items():
            yield f"{release.name}/{task}", partial(received, MESSAGES[task]), message
        spoken, steered = said["replies"]
        yield f"{release.name}/spoken", partial(received, SegmentResult), spoken
        yield f"{release.name}/steered", partial(received, Holding), steered["holding"]


def found(release: Path, pattern: str) -> list[Path]:
    paths = sorted((release / "storage").glob(pattern))
    assert paths, f"{release} holds no {pattern}"
    return paths


def name_of(path: Path) -> str:
    return str(path.relative_to(GOLDEN))


def as_stored(model: type[BaseModel], value: Any) -> BaseModel:
    return stored(model, json.dumps(value), "a document")


def extended(value: Any) -> Any:
    """Return a value in JSON with an unknown field in each of its objects."""
    if isinstance(value, list):
        return [extended(each) for each in value]
    if not isinstance(value, dict):
        return value
    return NEW | {
        name: {key: extended(part) for key, part in each.items()}
        if name in TABLES
        else extended(each)
        for name, each in value.items()
    }


def holds(whole: Any, part: Any) -> bool:
    """Whether a value in JSON holds all that another one holds."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(holds(whole.get(name), part[name]) for name in part)
    if isinstance(part, list):
        return (
            isinstance(whole, list)
            and len(whole) == len(part)
            and all(holds(*pair) for pair in zip(whole, part, strict=True))
        )
    return bool(whole == part)


CASES = list(cases())


@pytest.mark.parametrize(("read", "kept"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_what_a_release_wrote_is_read_with_all_its_values(read: Read, kept: Any) -> None:
    value = read(kept)
    assert holds(TypeAdapter(type(value)).dump_python(value, mode="json"), kept)


@pytest.mark.parametrize(("read", "kept"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_unknown_fields_at_every_level_change_nothing(read: Read, kept: Any) -> None:
    assert read(extended(kept)) == read(kept)


@pytest.mark.parametrize("release", sorted(GOLDEN.iterdir()), ids=lambda path: path.name)
class TestRelease:
    """What one release kept as a whole."""

    def test_a_request_is_the_same_job_as_before(self, release: Path) -> None:
        (path,) = found(release, "jobs/*/job.json")
        job = stored(Job, path.read_bytes(), str(path))
        assert job.id == path.parent.name == f"job-{job.digest()[:16]}"
        (revised,) = found(release, "jobs/*/revisions/*.json")
        assert stored(Job, revised.read_bytes(), str(revised)).digest() == revised.stem

    def test_a_plan_is_read_by_the_addresses_of_its_messages(self, release: Path) -> None:
        plan = found(release, "jobs/*/rounds/1/plan.jsonl")[0].read_bytes()
        assert read_round(plan).reason == "submit"
        messages = json.loads((release / "redis.json").read_text())["messages"]
        at = received(Address, messages[TASKS[Kind.SYNTHESIS]])
        offset, length = at.span
        batch = stored(Batch, plan[offset : offset + length], "a plan")
        assert batch in read_plan(plan)
        assert at.token in [ref.token for ref in read_refs(plan)]
        assert (at.number, at.queue, at.deadline) == (batch.number, batch.queue, batch.deadline)

    def test_a_line_has_the_clip_that_it_had(self, release: Path) -> None:
        (path,) = found(release, "engines/*.json")
        published = stored(Published, path.read_bytes(), str(path))
        plan = found(release, "jobs/*/rounds/1/plan.jsonl")[0].read_bytes()
        lines = {line.id: (batch, line) for batch in read_plan(plan) for line in batch.lines}
        for result in found(release, "jobs/*/rounds/1/results/*.json"):
            for spoken in stored(BatchResult, result.read_bytes(), str(result)).segments:
                batch, line = lines[spoken.id]
                keys = [
                    clip_key(published.spec, spoken.model, batch, line, take.speed)
                    for take in spoken.takes
                ]
                assert keys == [take.key for take in spoken.takes]

    def test_why_a_line_failed_is_kept(self, release: Path) -> None:
        results = [
            stored(BatchResult, path.read_bytes(), str(path))
            for path in found(release, "jobs/*/rounds/1/results/*.json")
        ]
        errors = [line.error for result in results for line in result.segments if line.error]
        assert errors == [ErrorRecord("speech_rejected", "the engine returned silence")]
