"""A run of the fuzzer: every target in turn until time is up; finds are minimised and kept."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fuzzing.mutate import Mutator
from fuzzing.seeds import FINDS, finds, seeds
from fuzzing.targets import TARGETS, Target, load
from fuzzing.trial import Find, confirmed, tried
from rich.console import Console
from rich.table import Table

AT_ONCE = 40
"""Inputs of one process."""
SHRINKING = 60.0
"""Most seconds to minimise one find."""
WHOLE_FILE = 4000
"""Most bytes of a find that is stored uncompressed."""
LEARNT = 200
"""Most inputs beside the seeds that a target builds on."""


@dataclass
class Fuzz:
    """The options and results of a run."""

    seed: int
    minutes: float
    names: Sequence[str]
    console: Console
    executions: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    found: dict[tuple[str, str, str], Path] = field(default_factory=dict)
    """The file of each find, by target, kind and what it is."""

    def run(self) -> bool:
        """Fuzz until the time is over; return whether nothing was found."""
        load()
        until = time.monotonic() + self.minutes * 60
        mutators = {
            name: Mutator(name, seeds(name), random.Random(f"{self.seed} {name}"))
            for name in self.names
        }
        for name in self.names:
            self._try(name, seeds(name))
        while time.monotonic() < until:
            for name, mutator in mutators.items():
                self._try(name, [mutator.next() for _ in range(AT_ONCE)])
                if time.monotonic() > until:
                    break
        self.console.print(self.summary())
        for (target, kind, what), path in self.found.items():
            self.console.print(f"{target}: {kind}: {what}: {path}", markup=False, highlight=False)
        return not self.found

    def summary(self) -> Table:
        """Return the executions and finds of each target."""
        table = Table("target", "executions", "slowest s", "largest MB", "finds", box=None)
        for name in self.names:
            finds = Counter(kind for target, kind, _ in self.found if target == name)
            table.add_row(
                name,
                str(self.executions[name]),
                f"{self.slowest.get(name, 0):.1f}",
                f"{self.largest.get(name, 0):.0f}",
                ", ".join(f"{kind} {many}" for kind, many in finds.items()) or "none",
            )
        table.add_row("all", str(self.executions.total()), "", "", str(len(self.found)))
        return table

    def _try(self, name: str, inputs: Sequence[bytes]) -> None:
        target = TARGETS[name]
        for data, verdict in zip(inputs, tried(target, inputs), strict=True):
            self.executions[name] += 1
            self.slowest[name] = max(self.slowest.get(name, 0.0), verdict.seconds)
            self.largest[name] = max(self.largest.get(name, 0.0), verdict.megabytes)
            find = verdict.find
            if find is None or (name, find.kind, find.what) in self.found:
                continue
            # Alone in a process, so that earlier inputs cannot be the cause.
            find = confirmed(target, data).find
            if find and (name, find.kind, find.what) not in self.found:
                self._keep(name, find, data)

    def _keep(self, name: str, find: Find, data: bytes) -> None:
        small = smallest(data, lambda less: _same(TARGETS[name], less, find), SHRINKING)
        path = stored(FINDS / name, find.kind, TARGETS[name].suffix, small)
        self.found[name, find.kind, find.what] = path
        self.console.rule(f"{name}: {find.kind}")
        self.console.print(f"{find.what}\n{find.detail}", markup=False, highlight=False)


def read_again(folder: Path, names: Sequence[str]) -> bool:
    """Print a verdict in JSON on each file of a folder of finds; return whether all are good."""
    load()
    good = True
    for name in names:
        found = finds(folder / name)
        verdicts = tried(TARGETS[name], [data for _, data in found])
        for (file, data), first in zip(found, verdicts, strict=True):
            verdict = confirmed(TARGETS[name], data) if first.find else first
            print(json.dumps({"file": str(file.relative_to(folder)), **asdict(verdict)}))
            good = good and not verdict.find
    return good


def stored(folder: Path, kind: str, suffix: str, data: bytes) -> Path:
    """Write a find's input into a folder; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}-{hashlib.sha256(data).hexdigest()[:8]}{suffix}"
    if len(data) > WHOLE_FILE:
        path = path.with_name(f"{path.name}.gz")
        data = gzip.compress(data, mtime=0)
    path.write_bytes(data)
    return path


def smallest(data: bytes, still: Callable[[bytes], bool], seconds: float) -> bytes:
    """Return ``data`` without the lines, and then the bytes, that ``still`` does not need.

    still: whether an input still causes the find. seconds: time limit.
    """
    until = time.monotonic() + seconds
    for split in (_lines, _bytes):
        parts = split(data)
        size = max(1, len(parts) // 2)
        while size and time.monotonic() < until:
            at = 0
            while at < len(parts) and time.monotonic() < until:
                less = parts[:at] + parts[at + size :]
                if less and still(b"".join(less)):
                    parts = less
                else:
                    at += size
            size //= 2
        data = b"".join(parts)
    return data


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _bytes(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def _same(target: Target, data: bytes, find: Find) -> bool:
    other = tried(target, [data])[0].find
    return other is not None and (other.kind, other.what) == (find.kind, find.what)
