"""What ``scripts/fuzz`` has found is read within bounds, and the fuzz finds what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
CORPUS = SCRIPTS.parent / "tests" / "fuzz"
FAULTS = """
import sys, time
from dubbing.errors import DubbingError
from fuzzing import trial
from fuzzing.targets import Target

def read(scene, data):
    match data:
        case b"crash":
            raise KeyError(data)
        case b"slow":
            while True:
                time.process_time()
        case b"large":
            bytearray(320_000_000)[::4096] = b"x" * 78_125
        case b"message":
            raise DubbingError("fuzzed: \\x1b[2J")
        case b"place":
            raise DubbingError("it is wrong")
    return ()

trial.SECONDS = (2.0, 2.0)
inputs = [b"good", b"crash", b"slow", b"large", b"message", b"place", b"good"]
for verdict in trial.tried(Target(read, ".txt", ("fuzzed",)), inputs):
    print(verdict.find.kind if verdict.find else "good")
"""


def clean(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python anew: a fork of this process would have the locks of its threads."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=SCRIPTS,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def verdicts(folder: Path) -> list[dict[str, Any]]:
    """Return the verdict on each file of a folder of finds."""
    done = clean("fuzz", "--again", folder)
    assert done.returncode in {0, 1}, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_find_of_the_fuzz_is_read_within_bounds() -> None:
    found = verdicts(CORPUS)
    assert len(found) == sum(path.is_file() for path in CORPUS.rglob("*"))
    assert [verdict for verdict in found if verdict["find"]] == []


def test_every_target_has_good_inputs_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from fuzzing.seeds import GOOD
    from fuzzing.targets import TARGETS

    assert GOOD.keys() == TARGETS.keys()
    for name, inputs in GOOD.items():
        (tmp_path / name).mkdir()
        for number, data in enumerate(inputs):
            (tmp_path / name / f"{number}{TARGETS[name].suffix}").write_bytes(data)
    found = verdicts(tmp_path)
    assert len(found) == sum(map(len, GOOD.values()))
    assert [verdict for verdict in found if verdict["find"]] == []


def test_the_fuzz_finds_what_is_wrong() -> None:
    done = clean("-c", FAULTS)
    assert done.stdout.split() == [
        *("good", "crash", "slow", "large", "message", "place", "good")
    ], done.stderr


def test_a_find_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from fuzzing.run import smallest

    data = b"one\ntwo\nthree, four\nfive\n"
    assert smallest(data, lambda held: b"four" in held, 5) == b"four"
