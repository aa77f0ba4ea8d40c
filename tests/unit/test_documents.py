"""What people write is read strictly; what another release wrote, without what is not known."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from dubbing.documents import FORMAT, received, stored
from dubbing.errors import Damaged, ErrorRecord, NewerRelease
from dubbing.job import Job
from dubbing.jobs.store import End
from dubbing.ledger import Address
from dubbing.script.manifest import Manifest

SEGMENT = {"id": "1", "start": 0, "end": 1, "text": "Hello."}
REQUEST: dict[str, Any] = {"id": "j", "language": "de", "segments": [SEGMENT], "fit": {}}
NEW = {"colour": "blue"}


def newer() -> dict[str, Any]:
    """Return a request with unknown fields in the document and in models below it."""
    return {**REQUEST, "segments": [SEGMENT | NEW], "fit": NEW, **NEW}


def read_job(data: dict[str, Any]) -> Job:
    return stored(Job, json.dumps(data), "jobs/j/job.json")


def test_a_stored_job_is_read_without_unknown_fields_and_stays_the_same_request() -> None:
    plain = read_job(REQUEST)
    assert read_job(newer()).digest() == plain.digest()
    assert plain.model_copy(update={"format": FORMAT + 1}).digest() == plain.digest()


@pytest.mark.parametrize("own", [{"voice": "low"}, {"speed": 1.25}])
def test_a_job_bears_the_second_format_while_a_segment_has_a_voice_or_speed_of_its_own(
    own: dict[str, Any],
) -> None:
    plain = read_job(REQUEST)
    assert "format" not in json.loads(plain.as_stored())
    segment = plain.segments[0].model_copy(update=own)
    changed = plain.model_copy(update={"segments": (segment,)})
    assert json.loads(changed.as_stored())["format"] == 2
    again = read_job(json.loads(changed.as_stored()))
    assert again.digest() == changed.digest()
    back = again.model_copy(update={"segments": plain.segments})
    assert back.as_stored() == plain.as_stored()


def test_the_same_models_are_strict_in_a_manifest() -> None:
    with pytest.raises(ValidationError) as caught:
        Manifest.model_validate(newer())
    places = [fault["loc"] for fault in caught.value.errors()]
    assert places == [("segments", 0, "colour"), ("fit", "colour"), ("colour",)]


def test_a_newer_format_asks_for_an_upgrade_whatever_else_is_unknown() -> None:
    data = {"id": "j", "format": FORMAT + 1, "segments": "elsewhere"}
    words = r"jobs/j/job.json was written by a newer release of dubbing: upgrade this one"
    with pytest.raises(NewerRelease, match=words):
        read_job(data)


def test_a_value_that_an_enum_lacks_is_that_of_a_newer_release() -> None:
    with pytest.raises(NewerRelease):
        stored(End, '{"state": "archived", "round": 1}', "end.json")


@pytest.mark.parametrize("data", ["", "{}", "[]", "null", '{"state": "archived"}', '{"state": 1'])
def test_a_damaged_document_is_not_taken_for_a_newer_one(data: str) -> None:
    with pytest.raises(Damaged, match=r"^end\.json cannot be read: it is damaged: "):
        stored(End, data, "end.json")


def test_unknown_fields_of_messages_are_ignored_in_dataclasses_too() -> None:
    message = {"job": "j", "round": 1, "token": "0:0:9:60:1", "queue": "synthesis.tone"}
    assert received(Address, message | NEW) == Address(**message)  # type: ignore[arg-type]
    error = {"code": "bad_input", "message": "no"}
    assert received(ErrorRecord, error | NEW) == ErrorRecord(**error)
