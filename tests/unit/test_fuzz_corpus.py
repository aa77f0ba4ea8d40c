"""What ``scripts/fuzz`` has found is read within bounds, and the fuzz finds what is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
FINDS = sorted(folder.name for folder in (SCRIPTS.parent / "tests" / "fuzz").glob("*"))


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


@pytest.mark.parametrize("name", FINDS)
def test_every_find_of_the_fuzz_is_read_within_bounds(name: str) -> None:
    from fuzzing.seeds import finds
    from fuzzing.targets import TARGETS
    from fuzzing.trial import confirmed, tried

    found = finds(name)
    target = TARGETS[name]
    verdicts = tried(target, [data for _, data in found])
    wrong = {
        file.name: confirmed(target, data).find
        for (file, data), verdict in zip(found, verdicts, strict=True)
        if verdict.find
    }
    assert not any(wrong.values()), wrong


def test_every_target_has_good_inputs_that_are_read() -> None:
    from fuzzing.seeds import GOOD
    from fuzzing.targets import TARGETS
    from fuzzing.trial import tried

    assert GOOD.keys() == TARGETS.keys()
    for name, target in TARGETS.items():
        for verdict in tried(target, GOOD[name]):
            assert verdict.find is None, (name, verdict)


@pytest.mark.parametrize("kind", ["crash", "slow", "large", "message", "place"])
def test_the_fuzz_finds_what_is_wrong(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from fuzzing import trial
    from fuzzing.targets import Scene, Target
    from fuzzing.trial import tried

    from dubbing.errors import DubbingError

    def read(_: Scene, data: bytes) -> Iterable[str]:
        match kind:
            case "crash" if data == b"odd":
                raise KeyError(data)
            case "slow" if data == b"odd":
                while True:
                    time.process_time()
            case "large" if data == b"odd":
                bytearray(320_000_000)[::4096] = b"x" * 78_125
            case "message" if data == b"odd":
                raise DubbingError("fuzzed: \x1b[2J")
            case "place" if data == b"odd":
                raise DubbingError("it is wrong")
        return ()

    monkeypatch.setattr(trial, "SECONDS", (0.3, 0.3))
    target = Target(read, ".txt", ("fuzzed",))
    found = [verdict.find and verdict.find.kind for verdict in tried(target, [b"a", b"odd", b"b"])]
    assert found == [None, kind, None]


def test_a_find_is_made_small() -> None:
    from fuzzing.run import smallest

    data = b"one\ntwo\nthree, four\nfive\n"
    assert smallest(data, lambda held: b"four" in held, 5) == b"four"
