"""A job whose lines are spoken by servers that fail, die and come back."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import pytest
import soundfile
import speech_server
from speech import pitch
from speech_server import FAULTS, VOICES, Server
from system import SECONDS, System

from dubbing.assembly.report_line import ReportLine
from dubbing.embedded.stack import dubbing_command
from dubbing.engines.remote.registry import Registry
from dubbing.job import JobState, Segment
from dubbing.job.fit import Fit
from dubbing.media.samples import Audio, Samples
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.system import System as Installed

SCENE = Path(__file__).parents[2] / "examples" / "scene.srt"
SLOT = 2.5
"""Seconds from one line to the next."""
PRICE = "3600 CNY/h"
"""One yuan a second."""
EACH = 0.05
"""Share of the lines that each fault strikes."""
MANY = 80
"""Lines: each fault strikes some four of them."""


class Served(System):
    """A worker of servers, which has two processes, and one of assembly."""

    ENGINES: ClassVar = {"openai": "openai", "assembly": "assembly"}


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Server]]:
    with ExitStack() as stack:
        yield [stack.enter_context(speech_server.running()) for _ in range(4)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, servers: list[Server]) -> Iterator[System]:
    urls = [server.url for server in servers]
    with Served(tmp_path_factory.mktemp("served"), endpoints={"openai": urls}) as system:
        system.ready()
        for url in urls:
            registry_of(system).add("openai", {"url": url, "price": PRICE}, {})
        yield system


def registry_of(system: System) -> Registry:
    return Installed(system.settings).registry


def job(name: str, lines: int) -> Manifest:
    """Return a job whose lines have four speakers in turn, each with a voice of its own."""
    segments = [
        Segment(
            id=str(n),
            start=n * SLOT,
            end=n * SLOT + 2.0,
            speaker=list(VOICES)[n % 4],
            text=f"{name}: this is line {n} of many.",
        )
        for n in range(lines)
    ]
    cast = {voice: ManifestRole(voice=voice) for voice in VOICES}
    return Manifest(id=name, language="en", engine="openai", segments=segments, cast=cast)


def heard(sound: Samples, rate: int, line: ReportLine) -> float:
    """Return the pitch of a line where the report says that it is, in Hz."""
    assert line.actual_start is not None
    assert line.actual_end is not None
    part = sound[round(line.actual_start * rate) : round(line.actual_end * rate)]
    return pitch(Audio(samples=part, rate=rate))


def test_every_line_is_there_once_in_its_voice_though_servers_fail_at_random(
    system: System, servers: list[Server], tmp_path: Path
) -> None:
    for seed, server in enumerate(servers):
        server.set(faults=dict.fromkeys(FAULTS, EACH), seed=seed)
    manifest = job("faulty", MANY)
    system.client.submit(manifest)
    status = system.wait(manifest.id or "", seconds=2 * SECONDS)
    assert (status.state, status.done, status.failed) == (JobState.COMPLETED, MANY, 0)
    lines = system.report(manifest).lines
    assert [line.id for line in lines] == [str(n) for n in range(MANY)]
    paths = {path.name: path for path in system.client.fetch("faulty", tmp_path)}
    sound, rate = soundfile.read(paths["dub.flac"], dtype="float32", always_2d=True)
    wrong = [
        (line.id, line.speaker, pitch_heard)
        for line in lines
        if (pitch_heard := heard(sound[:, 0], rate, line))
        != pytest.approx(VOICES[line.speaker], rel=0.15)
    ]
    assert wrong == []


def test_report_and_status_tell_what_was_used_and_what_it_cost(
    system: System, servers: list[Server]
) -> None:
    for server in servers:
        server.set(seconds=0.1, forget=True)
    manifest = job("priced", 8)
    (used,) = system.run(manifest).used
    assert (used.engine, used.currency) == ("openai", "CNY")
    assert 0.8 <= used.seconds < 8
    assert used.cost == pytest.approx(used.seconds)
    by_server = system.report(manifest).used
    assert {one.endpoint for one in by_server} <= {server.url for server in servers}
    assert sum(one.seconds for one in by_server) == pytest.approx(used.seconds)
    # Its clips are stored: nothing is used again, and what was used stays.
    again = manifest.model_copy(update={"fit": Fit(max_rate=1.2)})
    system.client.revise(again)
    assert system.wait("priced").used == (used,)
    # So it is foreseen, as are the costs of new lines.
    known, new = system.client.preview_all([again, job("foreseen", 8)])
    assert known.estimate
    assert known.estimate.costs == {}
    assert new.estimate
    assert new.estimate.costs
    assert new.estimate.costs["CNY"] > 0


def test_a_job_waits_while_the_cap_of_its_engine_is_reached(
    system: System, servers: list[Server]
) -> None:
    for server in servers:
        server.reset()
    registry_of(system).cap("openai", "0.01 CNY")
    # A worker that starts heeds it from its first batch on.
    system.stop("openai")
    system.start("openai")
    system.client.submit(job("capped", 4))
    system.until(lambda: system.client.status("capped").faults, "away")
    status = system.client.status("capped")
    assert "the cap of openai for" in status.faults["openai"]
    assert (status.state.ended, [server.seen for server in servers]) == (False, [[]] * 4)
    registry_of(system).cap("openai", "1000 CNY")
    assert system.wait("capped").state is JobState.COMPLETED


def test_a_server_that_dies_costs_no_line(system: System, servers: list[Server]) -> None:
    for server in servers:
        server.set(seconds=0.1, forget=True)
    manifest = job("dying", 40)
    system.client.submit(manifest)
    system.until(lambda: len(servers[0].seen) > 5, "begun")
    servers[0].stop()
    status = system.wait("dying")
    servers[0].start()
    assert (status.state, status.done, status.failed) == (JobState.COMPLETED, 40, 0)
    assert all(line.error is None for line in system.report(manifest).lines)
    # Each server has one slot, which the processes of the worker share.
    others = [asked for server in servers[1:] for asked in server.seen]
    assert {asked["in_flight"] for asked in others} == {1}


def test_a_job_waits_while_no_server_is_there(system: System, servers: list[Server]) -> None:
    for server in servers:
        server.set(seconds=0.1, forget=True)
    manifest = job("waiting", 40)
    system.client.submit(manifest)
    system.until(lambda: sum(len(server.seen) for server in servers) > 8, "begun")
    for server in servers:
        server.stop()
    system.until(lambda: system.client.status("waiting").faults, "away")
    found = system.client.status("waiting")
    assert not found.state.ended
    assert servers[0].url in found.faults["openai"]
    for server in servers:
        server.start()
    status = system.wait("waiting")
    assert status.faults == {}
    assert (status.state, status.done, status.failed) == (JobState.COMPLETED, 40, 0)


def test_a_script_is_dubbed_with_nothing_but_the_address_of_a_server(
    servers: list[Server], tmp_path: Path
) -> None:
    servers[0].reset()
    variables = {
        "DUBBING_HOME": str(tmp_path / "home"),
        "DUBBING_ENDPOINTS": json.dumps({"openai": [servers[0].url]}),
    }
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DUBBING_")}
    command = [*dubbing_command(), "run", SCENE, "--language", "en", "--engine", "openai"]
    done = subprocess.run(
        command, cwd=tmp_path, env=plain | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "scene.dub.flac").exists()
    assert {asked["voice"] for asked in servers[0].seen} <= {*VOICES}
