from __future__ import annotations

import itertools
import math
import random

import pytest

from dubbing.assembly.timeline import TOLERANCE, FitLine, Placement, fit, smooth
from dubbing.job import Fit
from dubbing.planning.pauses import Span
from dubbing.planning.result import Take
from dubbing.storage.keys import Keys


def line(
    natural: float,
    room: float,
    *,
    faster: float | None = None,
    text: str = "x" * 50,
    start: float = 10.0,
    silence: float = 0.0,
    gap: float = 0.0,
    pauses: tuple[Span, ...] = (),
    decay: float = 0.0,
) -> FitLine:
    key = Keys.clip("natural")
    takes = [
        Take(key=key, speed=1.0, seconds=natural, level=-20, pauses=pauses, decay=decay),
    ]
    if faster:
        takes.append(Take(key=Keys.clip("faster"), speed=1.2, seconds=faster, level=-20))
    return FitLine(
        id="1", start=start, room=room, gap=gap, silence=silence, text=text, takes=tuple(takes)
    )


def fit_one(spoken: FitLine, **bounds: float) -> Placement:
    return fit([spoken], Fit(**bounds))[0]


def test_a_line_that_fits_is_left_as_it_is() -> None:
    placed = fit_one(line(2.0, 2.5))
    assert (placed.take, placed.stretch, placed.rate, placed.seconds) == (0, 1.0, 1.0, 2.0)
    assert (placed.overflow, placed.characters_over, placed.note) == (0, 0, "")


def test_a_line_too_long_is_stretched_into_its_room() -> None:
    placed = fit_one(line(2.2, 2.0))
    assert placed.seconds == pytest.approx(2.0)
    assert placed.stretch == pytest.approx(1.1)
    assert placed.rate == pytest.approx(1.1)
    assert placed.overflow == 0


def test_a_line_one_percent_too_long_is_not_stretched() -> None:
    placed = fit_one(line(2.018, 2.0, gap=0.08))
    assert placed.stretch == 1.0
    assert placed.overflow == pytest.approx(0.018)
    assert placed.characters_over == 0


def test_a_line_does_not_run_into_the_next_one_for_a_hundredth() -> None:
    placed = fit_one(line(2.095, 2.0, gap=0.08))
    assert placed.end == pytest.approx(placed.start + 2.08)
    assert (placed.overflow, placed.characters_over) == (0, 0)


def test_the_faster_take_is_used_and_stretched_only_by_what_is_left() -> None:
    placed = fit_one(line(2.4, 2.0, faster=2.1))
    assert placed.take == 1
    assert placed.stretch == pytest.approx(1.05)
    assert placed.rate == pytest.approx(1.2), "measured against the natural take"


def test_a_faster_take_near_its_room_is_not_stretched() -> None:
    placed = fit_one(line(2.18, 2.0, faster=2.018))
    assert (placed.take, placed.stretch) == (1, pytest.approx(1.009)), "it would run into the next"
    placed = fit_one(line(2.48, 2.0, faster=2.07, gap=0.08))
    assert (placed.take, placed.stretch) == (1, 1.0)


def test_a_faster_take_that_is_too_fast_is_slowed_to_the_room() -> None:
    placed = fit_one(line(2.3, 2.0, faster=1.9))
    assert placed.take == 1
    assert placed.stretch == pytest.approx(0.95)
    assert placed.seconds == pytest.approx(2.0)


def test_what_does_not_fit_overflows_and_is_declared_in_characters() -> None:
    placed = fit_one(line(4.0, 2.0, text="x" * 100))
    assert placed.rate == pytest.approx(1.25)
    assert placed.seconds == pytest.approx(3.2)
    assert placed.overflow == pytest.approx(1.2)
    assert placed.characters_over == math.ceil(100 * (1 - 2 / 3.2))
    assert placed.note == (
        "runs 1.20 s over its 2.00 s: about 38 of its 100 characters are too many"
    )


@pytest.mark.parametrize("room", [0.0, -3.0])
def test_a_line_that_starts_after_the_film_is_over_by_all_of_its_text(room: float) -> None:
    placed = fit_one(line(2.5, room, text="x" * 30))
    assert placed.characters_over == 30
    assert placed.seconds == pytest.approx(2.0)


def test_the_lines_around_a_hurried_one_are_hurried_a_little() -> None:
    placed = fit([line(2, 9), line(2.5, 2.0), line(2, 9)], Fit(max_change=0.15))
    assert [p.rate for p in placed] == pytest.approx([1.25 / 1.15, 1.25, 1.25 * 0.85])
    assert "smoothly" in placed[0].note
    assert placed[1].note == ""


def test_a_natural_take_is_not_used_where_the_pace_would_jump() -> None:
    # The line before a rate of 1.155 needs 1.155 / 1.15, within the tolerance of 1.
    placed = fit([line(2, 9), line(2.31, 2.0)], Fit(max_change=0.15))
    assert 1 < placed[0].rate < 1 + TOLERANCE
    assert placed[1].rate / placed[0].rate <= 1.15 + 1e-9


def test_pauses_are_shortened_first_and_only_as_far_as_the_line_needs() -> None:
    placed = fit_one(line(2.3, 2.0, pauses=((0.5, 1.0), (1.5, 1.8))))
    assert (placed.seconds, placed.rate, placed.stretch) == (pytest.approx(2.0), 1.0, 1.0)
    assert sum(end - start for start, end in placed.cuts) == pytest.approx(0.3)
    assert fit_one(line(2.0, 2.0, pauses=((0.5, 1.0),))).cuts == ()


def test_what_pauses_do_not_spare_is_stretched() -> None:
    placed = fit_one(line(2.4, 2.0, pauses=((0.5, 0.68),)))
    assert placed.cuts == (pytest.approx((0.54, 0.64)),)
    assert placed.rate == placed.stretch == pytest.approx(2.3 / 2.0)
    assert placed.seconds == pytest.approx(2.0)


def test_the_decay_of_a_line_is_taken_before_its_pauses_and_only_as_far_as_it_needs() -> None:
    def cuts_of(natural: float, *spans: Span) -> tuple[Span, ...]:
        return fit_one(line(natural, 2.0, pauses=spans, decay=0.04)).cuts

    assert cuts_of(2.0) == ()
    assert cuts_of(2.03, (0.5, 1.0)) == (pytest.approx((2.0, 2.03)),)
    assert cuts_of(2.14, (0.5, 1.0)) == (pytest.approx((0.7, 0.8)), pytest.approx((2.1, 2.14)))


def test_what_the_decay_does_not_spare_is_stretched() -> None:
    placed = fit_one(line(2.24, 2.0, decay=0.04))
    assert placed.rate == placed.stretch == pytest.approx(1.1)
    assert placed.seconds == pytest.approx(2.0)


def test_a_pause_is_kept_as_long_as_the_job_asks() -> None:
    placed = fit_one(line(2.4, 2.0, pauses=((0.5, 0.72),)), min_pause=0.3)
    assert (placed.cuts, placed.rate) == ((), pytest.approx(1.2))


def test_a_line_starts_early_only_where_the_job_allows_it_the_line_needs_it_and_nobody_speaks() -> (
    None
):
    late = line(2.5, 2.0, silence=0.1)
    assert fit_one(late).start == 10.0
    early = fit_one(late, max_early=0.16)
    assert (early.start, early.rate) == (pytest.approx(9.9), pytest.approx(2.5 / 2.1))
    assert fit_one(line(2.1, 2.0, silence=9), max_early=0.16).start == pytest.approx(9.9)
    assert fit_one(line(2.0, 2.0, silence=9), max_early=0.16).start == 10.0
    paused = fit_one(line(2.1, 2.0, silence=9, pauses=((1, 1.5),)), max_early=0.16)
    assert paused.start == 10.0, "its pauses suffice"


def test_a_pace_is_smoothed_only_against_lines_that_are_near() -> None:
    lines = [line(2, 9, start=0), line(2.5, 2.0, start=12.1), line(2, 9, start=24)]
    rates = [placed.rate for placed in fit(lines, Fit())]
    assert rates == pytest.approx([1.0, 1.25, 1.25 * 0.85])


def random_lines(seed: int) -> tuple[list[FitLine], Fit]:
    source = random.Random(seed)
    lines = []
    for _ in range(source.randint(1, 60)):
        natural = source.uniform(0.3, 8)
        faster = natural / source.uniform(0.95, 1.3) if source.random() < 0.4 else None
        pauses = ((natural / 3, natural / 2),) if source.random() < 0.5 else ()
        decay = source.uniform(0, 0.05) if source.random() < 0.5 else 0.0
        room = natural * source.uniform(0.5, 2)
        lines.append(line(natural, room, faster=faster, pauses=pauses, decay=decay))
    return lines, Fit(max_rate=source.uniform(1, 1.6), max_change=source.uniform(0.02, 0.4))


@pytest.mark.parametrize("seed", range(40))
def test_the_bounds_hold_on_any_timeline(seed: int) -> None:
    lines, bounds = random_lines(seed)
    placed = fit(lines, bounds)
    slack = 1 + 1e-9
    for one in placed:
        assert 1 - TOLERANCE <= one.rate <= bounds.max_rate * (1 + TOLERANCE)
    for before, after in itertools.pairwise(placed):
        assert before.rate * (1 - bounds.max_change) <= after.rate * slack
        assert after.rate <= before.rate * (1 + bounds.max_change) * slack


@pytest.mark.parametrize("seed", range(40))
def test_no_line_is_cut_delayed_or_late_without_need(seed: int) -> None:
    lines, bounds = random_lines(seed)
    for spoken, one in zip(lines, fit(lines, bounds), strict=True):
        assert one.start == spoken.start
        cut = sum(end - start for start, end in one.cuts)
        assert one.seconds * one.stretch == pytest.approx(spoken.takes[one.take].seconds - cut)
        if one.characters_over:
            assert one.rate >= bounds.max_rate * (1 - TOLERANCE), "over only at the bound"
        assert one.overflow <= TOLERANCE * spoken.room or one.characters_over > 0


@pytest.mark.parametrize("seed", range(20))
def test_rates_are_the_smallest_that_meet_every_need(seed: int) -> None:
    source = random.Random(seed)
    needs = [source.uniform(1, 2) for _ in range(30)]
    rates = smooth(needs, 0.1)
    for index, rate in enumerate(rates):
        least = max(
            need * (0.9 ** (index - other) if other <= index else 1.1 ** (index - other))
            for other, need in enumerate(needs)
        )
        assert rate == pytest.approx(least)
