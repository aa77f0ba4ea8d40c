"""The lines that the faulty engine began, read from its log while it works, to know their times."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Begin:
    """A line that the engine began."""

    at: float
    """Seconds since 1970, to about a tenth."""
    pid: int
    text: str


class Begun:
    """The entries of the engine's log so far."""

    def __init__(self, path: Path) -> None:
        self.all: list[Begin] = []
        self._path = path
        self._read = 0

    def look(self) -> None:
        """Read new entries."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            rows, _, _ = file.read().rpartition(b"\n")
        if rows:
            self._read += len(rows) + 1
            now = time.time()
            for row in rows.decode().split("\n"):
                pid, _, text = row.partition("\t")
                self.all.append(Begin(now, int(pid), text))

    def by_text(self) -> Mapping[str, list[Begin]]:
        """Return when each text was begun, in order."""
        by_text: dict[str, list[Begin]] = defaultdict(list)
        for begin in self.all:
            by_text[begin.text].append(begin)
        return by_text

    def poisoned(self) -> set[int]:
        """Return the ids of processes that a line killed: their last line was a deadly one."""
        last = {begin.pid: begin.text for begin in self.all}
        return {pid for pid, text in last.items() if "<kill>" in text}
