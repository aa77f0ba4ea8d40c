"""Input that costs more than it is: any of 1 MB is refused or checked within 5 s and 300 MB."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
FULL = 1_000_000
SUFFIXES = {"manifest": ".json", "transcript": ".json", "srt": ".srt", "vtt": ".vtt", "ass": ".ass"}
TIMES = "00:00:01,000 --> 00:00:02,000"
EVENT = "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,"


def cue(text: str, many: int = 1) -> str:
    return "".join(f"{n}\n{TIMES}\n{text}{n}\n\n" for n in range(1, many + 1))


def event(text: str, many: int = 1) -> str:
    return "[Events]\n" + "".join(f"{EVENT}{text}{n}\n" for n in range(many))


def voices(many: int) -> str:
    """Cues of the same text at the same time, each of another speaker."""
    cues = (f"00:01.000 --> 00:02.000\n<v A{n}>x\n\n" for n in range(many))
    return "".join(["WEBVTT\n\n", *cues])


def manifest(*texts: str, language: str = "en", **fields: Any) -> str:
    segments = [{"start": n, "end": n + 0.9, "text": text} for n, text in enumerate(texts)]
    return json.dumps(
        {"language": language, "engine": "tone", "segments": segments, **fields}, ensure_ascii=False
    )


def speakers(many: int, cast: dict[str, Any], fallback: list[str] | None = None) -> str:
    """A manifest with a line for each of many speakers."""
    segments = [{"start": n, "end": n + 0.9, "text": "x", "speaker": f"s{n}"} for n in range(many)]
    fields = {"language": "en", "engine": "tone", "segments": segments, "cast": cast}
    return json.dumps({**fields, "fallback": fallback or []})


def lines(piece: str, each: int = 150, size: int = FULL // 5) -> Iterator[str]:
    """Lines that differ, each of which an engine can speak, up to ``size`` bytes."""
    length = number = 0
    while length < size:
        number += 1
        line = piece * max(1, each // len(piece)) + f" {number}"
        length += len(line.encode()) + 50
        yield line


def keys(many: int) -> str:
    """An object that sets its last name twice."""
    return "{" + ",".join(f'"k{n}":1' for n in [*range(many), many - 1]) + "}"


def dictionary() -> dict[str, str]:
    return {f"a {'b ' * (n % 45)}{n}": "x" for n in range(5000)}


INPUTS: dict[str, tuple[str, Callable[[], str]]] = {
    "a name set twice among many": ("manifest", lambda: keys(40_000)),
    "a cue of fractions": ("manifest", lambda: manifest("½" * 19_990)),
    "a tag of spaces": ("srt", lambda: cue("<" + " " * 19_900 + "x")),
    "a tag without an end": ("srt", lambda: cue("<" + "a" * 19_900, 6)),
    "a voice of spaces": ("srt", lambda: cue("<v" + " " * 19_900 + ".", 6)),
    "remarks without an end": ("srt", lambda: cue("<!--" * 4900, 15)),
    "an entity of figures": ("srt", lambda: cue(f"&#{'9' * 5000};")),
    "spaces above the times": ("srt", lambda: f"{' ' * 100_000}x\n{cue('x')}"),
    "overrides without an end": ("ass", lambda: event("{" * 19_900, 50)),
    "drawings": ("ass", lambda: event("{\\p1}a{\\p0}b" * 1600)),
    "bold without an end": ("srt", lambda: cue("**a " * 4900, 15)),
    "marks in the wrong order": ("srt", lambda: cue("a" + "\u0301\u0323" * 9900, 8)),
    "repetitions by other speakers": ("vtt", lambda: voices(7_000)),
    "segments that are none": ("transcript", lambda: f"[{'1,' * 490_000}1]"),
    "segments of nothing": ("manifest", lambda: '{"segments":[%s{}]}' % ("{}," * 330_000)),
    "roles that nobody speaks": (
        "manifest",
        lambda: speakers(2000, {f"r{n}": {} for n in range(2000)}),
    ),
    "fallbacks for many speakers": ("manifest", lambda: speakers(3000, {}, ["tone"] * 50_000)),
    "words that begin alike": (
        "manifest",
        lambda: manifest(*lines("a b ", size=150_000), pronunciations=dictionary()),
    ),
    "figures of Chinese": ("manifest", lambda: manifest(*lines("1，", size=FULL), language="zh")),
}  # fmt: skip


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The verdict of the fuzz on each input, read in a process without a past."""
    folder = tmp_path_factory.mktemp("costs")
    names = list(INPUTS)
    for number, (target, made) in enumerate(INPUTS.values()):
        data = made().encode()
        assert len(data) < 1.2 * FULL
        (folder / target).mkdir(exist_ok=True)
        (folder / target / f"{number}{SUFFIXES[target]}").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "fuzz", "--again", folder],
        cwd=SCRIPTS,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    found = map(json.loads, done.stdout.splitlines())
    return {names[int(Path(one["file"]).stem)]: one for one in found}


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_costs_no_more_than_its_size_allows(
    name: str, verdicts: dict[str, dict[str, Any]]
) -> None:
    assert verdicts[name]["find"] is None
    # The square of a small input is seen as well as that of a large one.
    size = len(INPUTS[name][1]().encode())
    assert verdicts[name]["seconds"] < 1.5 + 3.5 * min(1.0, size / FULL)


@pytest.mark.parametrize("piece", ["½ ", "1:2 ", "~1 ", "1.5. ", "Henry II. "])
def test_words_are_made_in_a_time_that_grows_with_the_line(piece: str) -> None:
    from dubbing.text.wording import spoken

    spoken(piece, "en")
    started = time.process_time()
    spoken(piece * (80_000 // len(piece)), "en")
    assert time.process_time() - started < 4
