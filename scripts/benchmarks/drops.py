"""Proof of words in a job whose engine omits a word in one take of twenty.

- ``takes``; ``dropped``: takes that lack a word.
- ``refused``: takes that were spoken again. ``false_alarms``: refused takes that lack no word;
  ``lines_in_vain``: their lines, each of which is tried up to three more times.
- ``named``: lines whose last take lacks a word, and whose report warns that the words are wrong or
  may be incomplete. ``named_in_vain``: complete lines with such a warning.
- ``undetected``: lines whose last take lacks a word, and whose report says that it is right.

The voice joe of Piper speaks a hundred lines at two speeds, through a worker with the default
thresholds. Two jobs have different seeds, and so lack words in different takes.

Takes six minutes.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from benchmarks._dialogue import LINES
from benchmarks._system import TESTS, engine_from, from_tests, settings
from dubbing.assembly.report import Report
from dubbing.assembly.report_line import ReportLine
from dubbing.client import Client
from dubbing.embedded.stack import Stack
from dubbing.job import Output, Segment
from dubbing.script.manifest import Manifest, ManifestRole

AT_LEAST = {"dropped": 10}
AT_MOST = {"undetected": 0}
SEEDS = (1, 50_001)
SPEEDS = {"slow": 1.0, "fast": 1.1}
"""The speed of each speaker."""
SLOT = 8.6
"""Seconds from one line to the next; enough for any line, so that none is spoken faster as well."""
SHARE = 0.05
ENGINE = "dropping"
MUMBLER = TESTS / "mumbler"

Said = Mapping[tuple[float, int], list[tuple[str, str]]]
"""The requested text and the spoken text of takes, by speed and seed."""


def run() -> dict[str, float]:
    """Return the figures."""
    figures: Counter[str] = Counter()
    for seed in SEEDS:
        figures.update(spoken(seed))
    return dict(figures)


def spoken(seed: int) -> dict[str, int]:
    """Return the figures of one job."""
    weights = from_tests("weights")
    folders = {ENGINE: weights.fetch("piper"), "whisper": weights.fetch("whisper")}
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        home, log = Path(folder), Path(folder) / "said"
        own = settings(home / "home", ENGINE, model_folders=folders)
        variables = {"DROPPING_LOG": str(log), "DROPPING_SHARE": str(SHARE)}
        with engine_from(MUMBLER, **variables), Stack(own, [ENGINE, "assembly"]):
            client = Client.connect(own)
            client.submit(job(seed))
            output = client.wait("drops").output
            report = Report.model_validate_json(client.storage.get(f"{output}report.json"))
        return told(report.lines, said_in(log))


def job(seed: int) -> Manifest:
    """Return the job: each speaker says all lines."""
    asked = [(speaker, text) for speaker in SPEEDS for text in LINES]
    segments = tuple(
        Segment(id=str(n + 1), start=n * SLOT, end=n * SLOT + 8, speaker=speaker, text=text)
        for n, (speaker, text) in enumerate(asked)
    )
    return Manifest(
        id="drops",
        language="en",
        seed=seed,
        cast={speaker: ManifestRole(speed=speed) for speaker, speed in SPEEDS.items()},
        segments=segments,
        output=Output(formats=("flac",)),
    )


def said_in(log: Path) -> Said:
    """Return the takes in the engine's log."""
    said: dict[tuple[float, int], list[tuple[str, str]]] = {}
    for line in log.read_text().splitlines():
        text, speed, seed, words = json.loads(line)
        said.setdefault((speed, seed), []).append((text, words))
    return said


def told(lines: list[ReportLine], said: Said) -> dict[str, int]:
    """Return the figures of a report, compared with the spoken texts."""
    lacking = [line for line in lines if lacks(line, line.seed, said)]
    dropped = sum(
        lacks(line, seed, said)
        for line in lines
        for speed, seed in said
        if speed == SPEEDS[line.speaker]
    )
    refused = sum(line.takes_refused for line in lines)
    undetected = [line for line in lacking if line.words and line.words.right]
    return {
        "takes": len(lines) + refused,
        "dropped": dropped,
        "refused": refused,
        "false_alarms": refused - (dropped - len(lacking)),
        "lines_in_vain": sum(in_vain(line, said) for line in lines),
        "named": sum(map(named, lacking)),
        "named_in_vain": sum(named(line) for line in lines if line not in lacking),
        "undetected": len(undetected),
    }


def named(line: ReportLine) -> bool:
    """Whether the report warns of the words of a line."""
    return line.words is not None and (line.misspoken or bool(line.words.uncertain))


def in_vain(line: ReportLine, said: Said) -> bool:
    """Whether a line was spoken again although none of its takes lacked a word."""
    takes = (seed for speed, seed in said if speed == SPEEDS[line.speaker])
    return line.takes_refused > 0 and not any(lacks(line, seed, said) for seed in takes)


def lacks(line: ReportLine, seed: int, said: Said) -> bool:
    """Whether the take of a line with this seed lacks a word; it may consist of several parts."""
    takes = said.get((SPEEDS[line.speaker], seed), [])
    return any(asked != words for asked, words in takes if asked in line.text)
