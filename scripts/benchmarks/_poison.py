"""A job while workers with a wrong storage run: one with another folder, one with a wrong secret.

The second worker has the bucket of a real S3 server if the server's library is installed
(``scripts/setup test``), or else a third folder. Ideally these workers refuse to start.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from benchmarks._system import from_tests, settings
from benchmarks._workers import Workers, wait_until_ready
from dubbing.client import Client
from dubbing.embedded.stack import Stack
from dubbing.planning.plan import Kind
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings

PAIRS = 3
LONGEST = 60.0
"""Seconds after which a job is given up; it then counts as that time."""
JOINING = 15.0
"""Seconds in which workers have to join or refuse to start."""
Variables = dict[str, str]


def poison_ratio(home: Path, job: Callable[[str], Manifest], say: Callable[[str], None]) -> float:
    """Return the median ratio of the pairs. job: returns a job of new lines, by name."""
    own = settings(home / "poisoned", "faulty", slots=2)
    with Stack(own, []), Workers() as right, wrong_storages(home) as wrong:
        for engine in ("faulty", Kind.ASSEMBLY):
            right.start(engine, own.model_copy(update={"engine": engine}))
        client = Client.connect(own)
        wait_until_ready(client, ["faulty", Kind.ASSEMBLY])
        seconds_of(client, job("poison-warm"))
        ratios = [pair(client, own, wrong, job, f"poison-{n}", say) for n in range(PAIRS)]
    return statistics.median(ratios)


def pair(
    client: Client,
    own: Settings,
    wrong: list[Variables],
    job: Callable[[str], Manifest],
    name: str,
    say: Callable[[str], None],
) -> float:
    """Return the ratio of a job's time with the wrong workers to that without them."""
    alone = seconds_of(client, job(f"{name}-alone"))
    with Workers() as guests:
        for number, variables in enumerate(wrong):
            guests.start(f"wrong-{number}", own, **variables)
        refused = joined(client, guests, len(wrong))
        beside = seconds_of(client, job(f"{name}-beside"))
    say(f"{name}: {alone:.1f} s alone, {beside:.1f} s beside, {refused} of {len(wrong)} refused")
    return beside / alone


def joined(client: Client, guests: Workers, count: int) -> int:
    """Wait until every worker has ended or loaded its engine; return how many have ended."""
    deadline = time.monotonic() + JOINING
    while time.monotonic() < deadline:
        begun = [worker for worker in client.fleet.workers() if worker.online and worker.queues]
        # The two workers with the right storage are not guests.
        if len(guests.ended()) + len(begun) - 2 >= count:
            break
        time.sleep(0.1)
    return len(guests.ended())


def seconds_of(client: Client, job: Manifest) -> float:
    """Return the seconds from a job's submission to its end."""
    started = time.monotonic()
    client.submit(job)
    while not client.status(job.id).state.ended:
        if time.monotonic() - started > LONGEST:
            client.cancel(job.id)
            break
        time.sleep(0.05)
    return time.monotonic() - started


@contextmanager
def wrong_storages(home: Path) -> Iterator[list[Variables]]:
    """Yield the environments of workers with a wrong storage."""
    folder = {"DUBBING_STORAGE_URL": str(home / "other")}
    if find_spec("swift") is None:
        yield [folder, {"DUBBING_STORAGE_URL": str(home / "third")}]
        return
    with from_tests("s3_server").running(home / "s3") as s3:
        bucket = {
            "DUBBING_STORAGE_URL": "s3://dubbing",
            "DUBBING_S3_ENDPOINT": s3.endpoint,
            "DUBBING_S3_REGION": s3.region,
            "DUBBING_S3_ACCESS_KEY_ID": s3.access_key_id,
            "DUBBING_S3_SECRET_ACCESS_KEY": "wrong",
        }
        yield [folder, bucket]
