"""An engine behind `dubbing engine-server`, compared with the same engine in process.

The engine takes 50 ms a line, and four lines a call; the engine `remote` sends 16 at a time.

- ``overhead``: seconds of the lines through the server ÷ seconds in process, less 1.
- ``different``: lines whose sound differs from that in process.

Takes half a minute.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks._system import faulty_engine, from_tests
from dubbing.engines.adapters.remote import Remote
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Line, Spoken
from dubbing.engines.models.folders import ModelFolders
from dubbing.engines.remote.pool import Pools
from dubbing.engines.remote.registry import Registry
from dubbing.media.samples import Audio
from dubbing.storage import Storage

LINES, AT_ONCE, LINE_SECONDS = 64, 16, 0.05
ROUNDS = 3

AT_MOST = {"overhead": 0.15, "different": 0}


def run() -> dict[str, float]:
    """Return the figures."""
    servers = from_tests("engine_servers")
    with (
        faulty_engine(),
        tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder,
        servers.running("faulty") as server,
    ):
        there, here = _remote(server.url, Path(folder)), Catalogue().create("faulty")
        lines = [
            Line(text=f"Line {n} of many. <slow:{LINE_SECONDS}>", language="en", voice="low")
            for n in range(LINES)
        ]
        there.synthesize(lines[:AT_ONCE])
        took = [
            (_seconds(here.synthesize, lines), _seconds(there.synthesize, lines))
            for _ in range(ROUNDS)
        ]
        pairs = zip(here.synthesize(lines), there.synthesize(lines), strict=True)
        different = sum(not _same(one, other) for one, other in pairs)
        there.unload()
    ratios = sorted(far / near for near, far in took)
    return {"overhead": ratios[ROUNDS // 2] - 1, "different": different}


def _remote(url: str, folder: Path) -> Remote:
    storage = Storage.at(str(folder / "storage"))
    pools = Pools(lambda: storage)
    registry = Registry(Catalogue(ModelFolders(root=folder), pools=pools), pools)
    registry.add("remote", {"url": url, "slots": AT_ONCE}, {})
    adapter = Remote("remote", Path(os.devnull), pools)
    adapter.load("remote")
    return adapter


def _seconds(speak: Callable[[Sequence[Line]], list[Spoken]], lines: Sequence[Line]) -> float:
    started = time.perf_counter()
    speak(lines)
    return time.perf_counter() - started


def _same(one: Spoken, other: Spoken) -> bool:
    return (
        isinstance(one, Audio)
        and isinstance(other, Audio)
        and np.array_equal(one.samples, other.samples)
    )
