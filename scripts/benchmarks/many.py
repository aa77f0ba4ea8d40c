"""A thousand open and ten thousand ended jobs: the cost of listing, watching and rebuilding them.

- ``jobs_first_page_seconds``, ``status_seconds``: duration of the commands ``dubbing jobs`` and
  ``dubbing status JOB``, for an open job, 80 ms away from Redis and from a real S3 server; the
  median of several runs.
- ``offline_share``: share of 90 s in which a worker at the same distance counts as offline while it
  puts all open jobs back into an empty Redis.
- ``rebuild_seconds``: seconds until all open jobs are back.
- ``watchers_redis_share``: CPU seconds of Redis for 100 watchers of open jobs ÷ wall time, less the
  same share without watchers.
- ``submit_1000_seconds``: duration of the command ``dubbing submit`` for 1,000 manifests of 300
  lines each, with storage in a folder; ``submit_mb``: its largest memory.

The jobs on S3 have a single line each, which the worker's engine has no time to speak. For ended
jobs, only the objects that a list reads are stored.

Takes eight minutes.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import redis

from benchmarks._place import Place
from benchmarks._script import make_job, sentences
from benchmarks._system import faulty_engine, from_tests, settings, until
from benchmarks._workers import Workers
from dubbing.client import Client
from dubbing.embedded.stack import dubbing_command, environment
from dubbing.job import Job, JobState
from dubbing.jobs.store import End
from dubbing.ledger import Audit
from dubbing.planning.casting import cast_lines
from dubbing.planning.plan import Reason, Round, plan_round, write_plan
from dubbing.settings import Settings
from dubbing.storage import Keys, each

DELAY = 0.08
OPEN, ENDED = 1000, 10_000
BEAT_SECONDS = 90.0
REBUILD_SECONDS = 600.0
"""Seconds after which the rebuild must be hanging; the S3 server takes most of the time."""
WATCHERS, WATCH_SECONDS = 100, 20.0
SUBMITTED, LINES, SLOT = 1000, 300, 8.6
RUNS = 5
STALL = "120"
"""Seconds of the engine for a line, so that the jobs stay open."""

AT_MOST = {
    "jobs_first_page_seconds": 2.0,
    "status_seconds": 1.5,
    "offline_share": 0.0,
    "watchers_redis_share": 0.05,
    "submit_1000_seconds": 40.0,
}


def run() -> dict[str, float]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        figures = submitting(Path(folder))
    with (
        faulty_engine(),
        tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder,
        ExitStack() as stack,
    ):
        return figures | among_many(Path(folder), stack)


def among_many(home: Path, stack: ExitStack) -> dict[str, float]:
    """Return the figures of an installation that holds many jobs."""
    place = Place(home, stack)
    near, far = place.settings("faulty", 1), place.settings("faulty", 1, DELAY)
    client = Client.connect(near)
    names = store(client)
    workers = stack.enter_context(Workers())
    workers.start("far", far, FAULTY_SLOW=STALL)
    with ThreadPoolExecutor(1) as aside:
        rebuilt = aside.submit(rebuild_seconds, client, names)
        figures = {"offline_share": offline_share(client), "rebuild_seconds": rebuilt.result()}
    for key, command in (
        ("jobs_first_page_seconds", ["jobs"]),
        ("status_seconds", ["status", names[0]]),
    ):
        figures[key] = statistics.median(duration(far, command) for _ in range(RUNS))
    return figures | {"watchers_redis_share": watchers_share(client, near, names)}


def store(client: Client) -> list[str]:
    """Store jobs as clients and workers do, but without Redis; return the open ones."""
    storage, now = client.storage, time.time()
    segments = make_job("made", sentences("made"), 1, slot=SLOT, speakers=1).segments
    job = Job(id="made", language="en", engine="faulty", segments=segments)
    lines = cast_lines(job, job.segments, client.specs())
    batches = plan_round(lines, job.language, client.specs())
    plan = write_plan(Round(reason=Reason.SUBMIT, asked=1), batches)
    end = End(state=JobState.COMPLETED, round=1, lines=1, done=1).model_dump_json().encode()

    def put(number: int) -> str | None:
        """Store a job; return its name if it is open."""
        name = f"job-{number}"
        is_open = number % (1 + ENDED // OPEN) == 0
        documents = {Keys.submitted(name, now - number): b""}
        if is_open:
            own = job.model_copy(update={"id": name})
            documents[Keys.job(name)] = own.model_dump_json().encode()
            documents |= {Keys.plan(name, 1): plan, Keys.open(name): b""}
        else:
            documents[Keys.end(name, 1)] = end
        for key, document in documents.items():
            # Quicker for the server than `create`.
            storage.replace(key, document)
        return name if is_open else None

    names = [name for name in each(put, range(OPEN + ENDED)) if name]
    storage.create(Keys.INDEXED, b"")
    return names


def offline_share(client: Client) -> float:
    """Return the share of time in which the worker is offline, after its first heartbeat."""
    until(client.fleet.workers, "there")
    end, seen = time.monotonic() + BEAT_SECONDS, []
    while time.monotonic() < end:
        seen.append(any(worker.online for worker in client.fleet.workers()))
        time.sleep(0.2)
    return 1 - sum(seen) / len(seen)


def rebuild_seconds(client: Client, names: Sequence[str]) -> float:
    """Return the seconds from now on until all open jobs are back in Redis."""
    started = time.perf_counter()
    while set(client.ledger.audit(names)) != {Audit.SOUND}:
        assert time.perf_counter() - started < REBUILD_SECONDS, "the rebuild hangs"
        time.sleep(1.0)
    return time.perf_counter() - started


def duration(own: Settings, command: Sequence[str]) -> float:
    """Return the seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(
        [*dubbing_command(), *command],
        env={**os.environ, **environment(own)},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def watchers_share(client: Client, near: Settings, names: Sequence[str]) -> float:
    """Return the share of a core that Redis takes for watchers."""
    over = threading.Event()

    def watch(name: str) -> None:
        for _ in Client.connect(near).watch(name):
            if over.is_set():
                return

    with redis.Redis.from_url(near.redis) as server:
        alone = busy(server)
        threads = [threading.Thread(target=watch, args=[name]) for name in names[:WATCHERS]]
        for thread in threads:
            thread.start()
        # The first look at a job connects.
        time.sleep(WATCH_SECONDS / 4)
        watched = busy(server)
    over.set()
    for thread in threads:
        thread.join()
    return watched - alone


def busy(server: redis.Redis) -> float:
    """Return the share of a core that Redis takes for some time."""

    def seconds() -> float:
        found = server.info("cpu")
        return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])

    started, before = time.perf_counter(), seconds()
    time.sleep(WATCH_SECONDS)
    return (seconds() - before) / (time.perf_counter() - started)


def submitting(home: Path) -> dict[str, float]:
    """Return the cost of submitting many jobs."""
    scripts = home / "scripts"
    scripts.mkdir()
    for n in range(SUBMITTED):
        texts = islice(sentences(str(n)), 2 * LINES)
        job = make_job(f"job-{n}", texts, LINES, slot=SLOT, speakers=4)
        wanted = job.model_dump_json(include={"id", "language", "segments"})
        (scripts / f"{n}.json").write_text(wanted)
    with from_tests("redis_server").RedisServer() as server:
        own = settings(home, "tone", redis_url=server.url)
        seconds = duration(own, ["submit", str(scripts)])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"submit_1000_seconds": seconds, "submit_mb": peak * 1024 / 1e6}
