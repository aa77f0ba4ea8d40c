"""The rules of other dubbing tools, as the benchmark of the fit knows them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from benchmarks._peers import PEERS, Natural, Rule
from benchmarks.fit import film, script


def line(start: float, end: float, seconds: float, lead: float = 0.1) -> Natural:
    return Natural(start=start, end=end, lead=lead, speech=seconds - lead, tail=0.0, pauses=())


@pytest.mark.parametrize("rule", PEERS.values(), ids=list(PEERS))
def test_a_take_that_fits_sounds_at_its_cue_and_after_its_silence(rule: Rule) -> None:
    (heard,) = rule([line(3, 5, 2.0)], 60.0)
    assert heard.start == pytest.approx(3.1, abs=0.01)
    assert heard.rate == pytest.approx(1, abs=0.06)
    assert heard.lost == pytest.approx(0)


@pytest.mark.parametrize(
    ("name", "rate", "next_start", "lost"),
    [
        ("open_dubbing", 1.3, 2.1, 0),
        ("pyvideotrans", 3 / 2.1, 2.1, 0),
        ("sonitranslate", 1.5, 2.1, 0),
        ("linly_dubbing", 1.5, 2.1, 0),
        ("videolingo", 1.0, 3.1, 0),
        ("krillinai", 5 / 4.1, 3 / (5 / 4.1), 0),
        ("voicestudio", 1.0, 2.1, 0.95),
    ],
)
def test_a_take_too_long_is_treated_as_its_tool_does(
    name: str, rate: float, next_start: float, lost: float
) -> None:
    lines = [line(0, 2, 3.0, lead=0), line(2.1, 4.1, 2.0, lead=0)]
    first, second = PEERS[name](lines, 60.0)
    assert first.rate == pytest.approx(rate)
    assert first.lost == pytest.approx(lost)
    assert second.start == pytest.approx(next_start)


def test_films_of_a_script_have_the_same_cues_for_any_voice_in_another_order() -> None:
    said = script(40)

    def shares(pace: float, number: int) -> list[float]:
        lengths = [len(text) / pace for _, text in said]
        cues = film(said, lengths, number).segments
        return [(cue.end - cue.start) / own for cue, own in zip(cues, lengths, strict=True)]

    assert shares(12, 0) == pytest.approx(shares(18, 0), abs=0.01)
    assert shares(18, 1) != pytest.approx(shares(18, 0), abs=0.01)
    assert sorted(shares(18, 1)) == pytest.approx(sorted(shares(18, 0)), abs=0.01)
