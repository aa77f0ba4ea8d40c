"""Which entries of a queue are messages, and which are dropped before kombu and Celery see them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from dubbing.planning.plan import Kind
from dubbing.queue.broker import check
from dubbing.queue.publisher import SAY, STEER, TASKS

QUEUE = "synthesis.tone"
REPLIES = "1c60e32e-fd29-3dd1-9d52-41c40a0bd0ef.reply.celery.pidbox"
NOTHING_FOLLOWS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
LIMIT = 200
"""How deep values may be nested."""


def encoded(body: object) -> str:
    return b64encode(json.dumps(body).encode()).decode()


def nested(depth: int) -> Any:
    return json.loads("[" * depth + "]" * depth)


HEADERS = {
    "lang": "py",
    "task": TASKS[Kind.SYNTHESIS],
    "id": "j/1/0-2cbf5e",
    "eta": None,
    "expires": "2031-01-01T10:00:00.250+00:00",
    "retries": 0,
    "timelimit": [65.0, None],
    "argsrepr": "()",
    "stamped_headers": None,
    "stamps": {},
}
PROPERTIES = {
    "correlation_id": "j/1/0-2cbf5e",
    "delivery_mode": 2,
    "delivery_info": {"exchange": "", "routing_key": QUEUE},
    "priority": 5,
    "body_encoding": "base64",
    "delivery_tag": "76cf4c4f",
}
BODY = [[], {"job": "j", "late": False}, NOTHING_FOLLOWS]


def entry(
    *,
    body: object = BODY,
    headers: Mapping[str, object] | None = None,
    properties: Mapping[str, object] | None = None,
    instead: Mapping[str, object] | None = None,
) -> bytes:
    """Return an entry as kombu writes it, but for these headers, properties and fields."""
    message = {
        "body": encoded(body),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {**HEADERS, **(headers or {})},
        "properties": {**PROPERTIES, **(properties or {})},
    }
    return json.dumps({**message, **(instead or {})}).encode()


def without(name: str, part: str = "") -> bytes:
    message = json.loads(entry())
    del (message[part] if part else message)[name]
    return json.dumps(message).encode()


MALFORMED: Mapping[str, bytes] = {
    "nothing": b"",
    "a word": b"garbage",
    "null": b"null",
    "a list": b"[]",
    "an empty object": b"{}",
    "a number": b"5",
    "not UTF-8": b'"\xff\xfe"',
    "control characters": b"\x1b]52;c;aGFja2Vk\x07\n2031-01-01 ERROR forged",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"body":' * 5_000 + b"1" + b"}" * 5_000,
    "a large number": b'{"body":' + b"1" * 10_000 + b"}",
    "a type of kombu's": b'{"__type__": "uuid", "__value__": "x"}',
    "no headers": without("headers"),
    "headers that are a list": entry(instead={"headers": [1]}),
    "no properties": without("properties"),
    "no tag": without("delivery_tag", "properties"),
    "no way": without("delivery_info", "properties"),
    "no exchange": entry(properties={"delivery_info": {"routing_key": QUEUE}}),
    "no key of the way": entry(properties={"delivery_info": {"exchange": ""}}),
    "an unknown encoding of the body": entry(properties={"body_encoding": "klingon"}),
    "a type of kombu's beside the body": entry(
        instead={"newer": {"__type__": "uuid", "__value__": 1}}
    ),
    "no body": without("body"),
    "a body that is a number": entry(instead={"body": 5}),
    "a body that is not base64": entry(instead={"body": "!!!"}),
    "a body that is not JSON": entry(instead={"body": b64encode(b"\x80\x04N.").decode()}),
    "a pickle": entry(instead={"content-type": "application/x-python-serialize"}),
    "an unknown encoding": entry(instead={"content-encoding": "klingon"}),
    "an unknown task": entry(headers={"task": "no.such"}),
    "no task": without("task", "headers"),
    "no id": without("id", "headers"),
    "a time that is none": entry(headers={"expires": "soon"}),
    "a time of no zone": entry(headers={"expires": "2031-01-01T10:00:00"}),
    "a delay": entry(headers={"eta": "2999-01-01T00:00:00+00:00"}),
    "a limit that is none": entry(headers={"timelimit": ["x", None]}),
    "a limit in words": entry(headers={"timelimit": ["65", None]}),
    "a limit without an end": entry(headers={"timelimit": [float("inf"), None]}),
    "a limit that is over": entry(headers={"timelimit": [-1, None]}),
    "stamps": entry(headers={"stamped_headers": 5}),
    "a compressed body": entry(headers={"compression": "zlib"}),
    "no arguments": entry(body=None),
    "too few parts": entry(body=[1]),
    "positional arguments": entry(body=[[1], {}, NOTHING_FOLLOWS]),
    "arguments without names": entry(body=[[], [1], NOTHING_FOLLOWS]),
    "tasks that follow": entry(body=[[], {}, {"chain": [{"task": SAY}]}]),
    "a type of kombu's in the body": entry(
        body=[[], {"a": {"__type__": "uuid", "__value__": 1}}, {}]
    ),
    "deep arguments": entry(body=[[], {"a": nested(LIMIT)}, NOTHING_FOLLOWS]),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_an_entry_that_is_no_message_is_refused(name: str) -> None:
    with pytest.raises(Exception):  # noqa: B017 - kombu's types fail in any way
        check(MALFORMED[name], QUEUE)


READ = (
    *("retries", "replaced_task_nesting", "ignore_result", "shadow", "root_id", "parent_id"),
    *("group", "argsrepr", "kwargsrepr", "origin", "stamps"),
)
"""Headers that Celery reads when it receives a task, and that may be absent."""


@pytest.mark.parametrize("name", READ)
def test_a_header_of_another_type_is_refused(name: str) -> None:
    check(without(name, "headers") if name in HEADERS else entry(), QUEUE)
    with pytest.raises(ValueError, match=f"headers.{name}"):
        check(entry(headers={name: [1]}), QUEUE)


QUEUES = {
    QUEUE: {TASKS[Kind.SYNTHESIS], SAY},
    "extraction.tone": {TASKS[Kind.EXTRACTION]},
    "assembly": {TASKS[Kind.ASSEMBLY]},
    "worker.tone.2cbf5e@host": {STEER},
}


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("task", [*TASKS.values(), SAY, STEER])
def test_each_task_is_taken_from_its_queue_alone(queue: str, task: str) -> None:
    if task in QUEUES[queue]:
        check(entry(headers={"task": task}), queue)
        return
    with pytest.raises(ValueError, match="is no task of this queue"):
        check(entry(headers={"task": task}), queue)


def test_headers_and_arguments_that_a_newer_release_added_are_taken() -> None:
    check(entry(headers={"newer": {"a": 1}}, body=[[], {"newer": [1]}, {"newer": None}]), QUEUE)


def test_the_answer_to_an_order_is_taken() -> None:
    answer = {"worker@host": {"ok": "added consumer synthesis.tone"}}
    check(entry(body=answer, instead={"headers": {"clock": 7, "expires": None}}), REPLIES)
    for part in ("headers", "body"):
        with pytest.raises(ValueError, match=part):
            check(without(part), REPLIES)
