"""What a worker finds in its queues: others' entries, and requests that nobody waits for."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import redis
from celery import Celery
from console import Console
from kombu import Queue
from ledgers import depth
from services import PLAIN, PLUGINS
from system import SECONDS, System, numbered, pool_processes, script

from dubbing.errors import Transient
from dubbing.planning.plan import Kind
from dubbing.queue import SAY, TASKS, broker_lists, make_app, own_queue, queues_of
from dubbing.queue import say as saying
from dubbing.queue.publisher import BROKER_PREFIX, SEPARATOR

INTERRUPTED = 130
QUEUES = (*queues_of("faulty"), Kind.ASSEMBLY.value)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("broker")) as system:
            system.ready()
            yield system


def test_another_celery_app_with_queues_of_the_same_names_takes_nothing_and_ends_nobody(
    system: System,
) -> None:
    job = script("beside", *numbered("Beside another app", 8, "<slow:0.05>"))
    taken: list[str] = []
    other = Celery(broker=system.settings.redis.replace("unix://", "redis+socket://"))
    queues = [Queue(name, routing_key=name) for name in QUEUES]
    with other.connection() as connection, connection.Consumer(queues, accept=["json"]) as consumer:
        consumer.register_callback(lambda _, message: taken.append(message.headers["task"]))
        system.client.submit(job)
        other.send_task("theirs", queue=Kind.ASSEMBLY.value)
        other.control.shutdown()
        deadline = time.monotonic() + SECONDS
        while not (taken and system.client.status(job.id).state.ended):
            assert time.monotonic() < deadline
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.1)
    other.close()
    system.wait(job.id)
    assert system.whole(job)
    assert taken == ["theirs"]


ENTRIES = {
    "a word": b"garbage",
    "null": b"null",
    "a list": b"[]",
    "an empty object": b"{}",
    "deep lists": b"[" * 100_000,
    "not UTF-8": b"\xff\xfe",
    "a forged line of the log": b"\x1b]52;c;aGk=\x07\n2031-01-01 ERROR forged",
    "an empty message": b'{"body": "", "headers": {}, "properties": {}}',
}


def test_entries_that_are_no_messages_are_dropped_with_a_line_and_the_work_goes_on(
    system: System,
) -> None:
    owned = [own_queue(worker.name) for worker in system.client.fleet.workers()]
    lists = [name for queue in (*QUEUES, *owned) for name in broker_lists(queue)]
    logs = {name: len(system.log(name)) for name in system.ENGINES}
    with redis.from_url(system.settings.redis) as server:
        for name in lists:
            server.lpush(name, *ENTRIES.values())
        for entry in ENTRIES.values():
            assert server.publish(f"{BROKER_PREFIX}/0.celery.pidbox", entry) == len(owned)
    ledger = system.client.ledger
    system.until(lambda: not depth(ledger, lists), "all entries taken")
    job = script("garbage", *numbered("After garbage", 8, "<slow:0.05>"))
    system.run(job)
    assert system.whole(job)
    assert set(system.spoken(job).values()) == {1}

    def lines() -> list[str]:
        return [
            line
            for name, length in logs.items()
            for line in system.log(name)[length:].splitlines()
            if "ERROR" in line or "WARNING" in line or "Traceback" in line
        ]

    count = len(ENTRIES) * (len(lists) + len(owned))
    # What was broadcast is heard beside the queues.
    system.until(lambda: len(lines()) >= count, "all told")
    assert len(lines()) == count
    assert all("dropped an entry that is no message" in line for line in lines())
    assert all(line.isprintable() for line in lines())


@pytest.mark.parametrize(
    "wrong",
    [{}, {"job": 5, "round": "x", "token": None, "queue": []}, {"token": "x"}, {"round": -1}],
    ids=["nothing", "other types", "no token", "no round"],
)
def test_a_message_with_wrong_arguments_ends_no_process_and_comes_once(
    system: System, wrong: dict[str, object]
) -> None:
    before, logged = pool_processes(system.worker("faulty").pid), len(system.log("faulty"))
    right = {"job": "nobody", "round": 1, "token": "0:0:0:60:1", "queue": QUEUES[0]}
    arguments = {**right, **wrong} if wrong else {}
    app = make_app(system.settings.redis)
    for kind, queue in ((Kind.SYNTHESIS, QUEUES[0]), (Kind.EXTRACTION, QUEUES[1])):
        app.send_task(TASKS[kind], kwargs=arguments, queue=queue)
    app.send_task(SAY, kwargs=arguments, queue=QUEUES[0])
    app.close()
    lists = [name for queue in QUEUES for name in broker_lists(queue)]
    system.until(lambda: not depth(system.client.ledger, lists), "all messages taken")
    job = script(f"wrong-{len(wrong)}-{'-'.join(wrong)}", *numbered(f"Wrong {wrong}", 8))
    system.run(job)
    assert pool_processes(system.worker("faulty").pid) == before
    said = system.log("faulty")[logged:]
    assert said.count("dropped a message") == 3
    assert "raised" not in said
    assert "Traceback" not in said


def test_a_worker_takes_work_though_odd_entries_stand_among_the_bindings(system: System) -> None:
    # The set of the answers to orders goes when nobody waits for one.
    answers = f"{BROKER_PREFIX}_kombu.binding.reply.celery.pidbox"
    odd = [b"{}", b"", b"\xff\xfe", SEPARATOR.join("ab"), SEPARATOR.join("abcd")]
    with redis.from_url(system.settings.redis) as server:
        system.stop("faulty")
        for key in {answers, *server.scan_iter(f"{BROKER_PREFIX}_kombu.binding.*")}:
            server.sadd(key, *odd)
        system.start("faulty")
        system.ready()
        job = script("bound", *numbered("Bound", 4))
        system.run(job)
        for key in server.scan_iter(f"{BROKER_PREFIX}_kombu.binding.*"):
            server.srem(key, *odd)
    assert system.whole(job)


def test_a_request_that_was_given_up_is_not_spoken(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["Given up in time.", "Given up by its user.", "Somebody waits for this."]
    console = Console(system.settings.home, DUBBING_REDIS_URL=system.settings.redis)
    with redis.from_url(system.settings.redis) as server, ThreadPoolExecutor(1) as thread:
        with system.frozen("faulty"):
            with pytest.raises(Transient), monkeypatch.context() as patch:
                patch.setattr(saying, "SAY_SECONDS", 0.5)
                system.client.say(texts[0], language=PLAIN)
            arguments = ("say", texts[1], "--language", PLAIN, "--engine", "faulty")
            with console.started(*arguments, "--out", "said.wav") as user:
                system.until(lambda: server.keys("dubbing:asking:*"), "asked")
                user.send_signal(signal.SIGINT)
                assert user.wait(timeout=SECONDS) == INTERRUPTED
            assert not server.keys("dubbing:asking:*")
            waiting = thread.submit(system.client.say, texts[2], language=PLAIN)
            system.until(lambda: server.keys("dubbing:asking:*"), "asked")
            assert all(server.ttl(key) > 0 for key in server.keys("dubbing:asking:*"))
        assert waiting.result(SECONDS).seconds > 0
        assert not server.keys("dubbing:asking:*")
    spoken = system.spoken_log.read_text()
    assert [text in spoken for text in texts] == [False, False, True]
