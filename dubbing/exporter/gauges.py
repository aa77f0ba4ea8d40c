"""Gauges of the system: waiting work, needed workers, and the state of workers and servers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric

from dubbing.engines.remote.pool import Pool
from dubbing.ledger import WorkerRecord, WorkerState
from dubbing.ledger.backlog import Backlog
from dubbing.ledger.servers import ServerBeat, id_of, state_of
from dubbing.planning.plan import Kind
from dubbing.queue import queues_of
from dubbing.queue.scaling import Hint

MIB = 1 << 20
PERCENT = 100
KINDS = {
    Kind.SYNTHESIS: ("lines", "Lines"),
    Kind.EXTRACTION: ("voices", "Voices"),
    Kind.ASSEMBLY: ("films", "Films"),
}
"""The content of the queues of each kind, in names and descriptions of metrics."""
SERVER_STATES = {WorkerState.STANDBY: "draining", WorkerState.OFFLINE: "offline"}
"""Labels of the states of servers that differ from the states' own names."""


def gauge(name: str, words: str, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    """Return a gauge without values."""
    return GaugeMetricFamily(f"dubbing_{name}", words, labels=labels)


def waiting(backlog: Mapping[str, Backlog], engines: Iterable[str]) -> Iterator[Metric]:
    """Yield waiting work and work in progress, by engine; engines without work have 0."""
    oldest = gauge(
        "oldest_seconds",
        "Seconds that the oldest waiting job has waited for an engine.",
        ["engine"],
    )
    known = sorted(engines)
    for kind, (noun, words) in KINDS.items():
        whose = [] if kind is Kind.ASSEMBLY else ["engine"]
        wait = gauge(f"waiting_{noun}", f"{words} of all jobs that wait for a worker.", whose)
        run = gauge(f"running_{noun}", f"{words} that are being worked on.", whose)
        for engine in known if whose else [""]:
            of = backlog.get(f"{kind.value}.{engine}" if engine else kind.value, Backlog())
            wait.add_metric([engine] if whose else [], of.waiting)
            run.add_metric([engine] if whose else [], of.running)
        yield wait
        yield run
    for engine in [*known, Kind.ASSEMBLY.value]:
        ages = [backlog[queue].oldest for queue in queues_of(engine) if queue in backlog]
        oldest.add_metric([engine], max(ages, default=0.0))
    yield oldest


def queues(depths: Mapping[str, int], waits: Mapping[str, float]) -> Iterator[Metric]:
    """Yield the messages of each queue, and the age of the first one."""
    messages = gauge("queue_messages", "Messages in a queue, which is kept short.", ["queue"])
    waited = gauge(
        "queue_oldest_seconds", "Seconds that the oldest message has waited in a queue.", ["queue"]
    )
    for queue, depth in depths.items():
        messages.add_metric([queue], depth)
        waited.add_metric([queue], waits.get(queue, 0.0))
    yield messages
    yield waited


def jobs(states: Mapping[str, int]) -> Iterator[Metric]:
    """Yield the number of open jobs in each state."""
    open_ = gauge("open_jobs", "Jobs that have not ended, by state.", ["state"])
    for state in dict.fromkeys(("queued", "synthesizing", "assembling", *states)):
        open_.add_metric([state], states.get(state, 0))
    yield open_


def wanted(hints: Mapping[str, Hint]) -> Iterator[Metric]:
    """Yield the workers and endpoints that each engine needs, and the available ones."""
    need = gauge(
        "wanted",
        "Workers or endpoints that an engine needs to do its work in time; 0 without work.",
        ["engine", "unit"],
    )
    there = gauge("available_workers", "Workers that take work for an engine.", ["engine"])
    slots = gauge("slots", "Batches that the workers of an engine do at once.", ["engine"])
    left = gauge(
        "seconds_left", "Seconds until the workers of an engine have done its work.", ["engine"]
    )
    for engine, hint in hints.items():
        need.add_metric([engine, hint.unit.value], hint.wanted)
        there.add_metric([engine], hint.workers)
        slots.add_metric([engine], hint.slots)
        if hint.seconds_left is not None:
            left.add_metric([engine], hint.seconds_left)
    yield from (need, there, slots, left)


def workers(records: Sequence[WorkerRecord]) -> Iterator[Metric]:
    """Yield the state of each worker, its load, and its machine's."""
    state = gauge(
        "worker_state", "1 for the state in which a worker is.", ["worker", "engine", "state"]
    )
    age = gauge("worker_heartbeat_age_seconds", "Seconds since its last heartbeat.", ["worker"])
    slots = gauge("worker_slots", "Batches that a worker does at once.", ["worker"])
    active = gauge("worker_active", "Batches that a worker has in hand.", ["worker"])
    away = gauge(
        "worker_engine_away", "1 where a worker finds no server of an engine.", ["worker", "engine"]
    )
    for one in records:
        state.add_metric([one.name, "+".join(one.engines), one.state.value], 1)
        age.add_metric([one.name], one.age)
        slots.add_metric([one.name], one.slots if one.online else 0)
        active.add_metric([one.name], one.active if one.online else 0)
        for engine in one.holding.away:
            away.add_metric([one.name, engine], 1)
    yield from (state, age, slots, active, away)
    for name, words, field, unit in MACHINE:
        values = gauge(f"worker_{name}", words, ["worker"])
        for one in records:
            value = getattr(one.vitals, field)
            if one.online and value is not None:
                values.add_metric([one.name], value * unit)
        yield values


MACHINE = (
    ("cpu_ratio", "Share of its machine's processors in use.", "cpu_percent", 1 / PERCENT),
    ("memory_bytes", "Memory of a worker's processes.", "worker_memory_mb", MIB),
    (
        "machine_memory_ratio",
        "Share of its machine's memory used.",
        "memory_percent",
        1 / PERCENT,
    ),
    ("gpu_busy_ratio", "Share of the time in which its card works.", "gpu_percent", 1 / PERCENT),
    ("gpu_memory_bytes", "Memory of its card in use.", "gpu_memory_used_mb", MIB),
    ("gpu_memory_ratio", "Share of its card's memory in use.", "gpu_memory_percent", 1 / PERCENT),
    ("scratch_free_bytes", "Room on the disk of its temporary files.", "scratch_free_mb", MIB),
)
"""Gauges of a worker's vitals: name, description, field, and factor from the field to the gauge."""


def endpoints(pools: Mapping[str, Pool], beats: Mapping[str, ServerBeat]) -> Iterator[Metric]:
    """Yield the state of each server, and how many of each engine are in each state."""
    servers = gauge("endpoints", "Servers of a remote engine.", ["engine", "state"])
    each = gauge(
        "endpoint_state", "1 for the state in which a server is.", ["engine", "endpoint", "state"]
    )
    for engine, pool in sorted(pools.items()):
        found: Counter[str] = Counter(ready=0, draining=0, offline=0)
        for endpoint in pool.endpoints:
            state = state_of(endpoint, beats.get(id_of(engine, endpoint)), time.time())
            name = SERVER_STATES.get(state, state.value)
            found[name] += 1
            each.add_metric([engine, endpoint.url, name], 1)
        for name, count in found.items():
            servers.add_metric([engine, name], count)
    yield from (servers, each)


def parts(up: Mapping[str, bool]) -> Iterator[Metric]:
    """Yield whether Redis and storage answer."""
    answers = gauge("part_up", "1 while a part of the installation answers.", ["part"])
    for part, well in up.items():
        answers.add_metric([part], well)
    yield answers


def disk(free: int, size: int) -> Iterator[Metric]:
    """Yield the free space and the size of the disk of a storage folder, in bytes."""
    room = gauge("storage_free_bytes", "Room on the disk of the storage folder.")
    room.add_metric([], free)
    whole = gauge("storage_size_bytes", "Size of the disk of the storage folder.")
    whole.add_metric([], size)
    yield from (room, whole)
