"""What the processes of a worker hold together, by what each of them says."""

from __future__ import annotations

import pytest

from dubbing.engines.holding import Holding

BOTH = ("a", "b")


def test_what_one_process_has_in_memory_is_there() -> None:
    held = Holding.of_all([Holding(loaded=("a",), begun=True), Holding(loading="b")])
    assert held == Holding(loaded=("a",), loading="b", begun=True)


def test_an_engine_rests_when_it_rests_in_every_process() -> None:
    rests = Holding(begun=True, resting={"a": "why", "b": ""})
    assert Holding.of_all([rests, rests]).resting == {"a": "why", "b": ""}
    assert Holding.of_all([rests, Holding(resting={"b": "other"})]).resting == {"b": "other"}
    assert Holding.of_all([rests, Holding()]).resting == {}


def test_of_no_process_nothing_is_known() -> None:
    assert Holding.of_all([]) == Holding()


@pytest.mark.parametrize(
    ("holding", "taken"),
    [
        (Holding(begun=True), BOTH),
        (Holding(begun=True, resting={"a": "why"}), ("b",)),
        (Holding(begun=True, resting={"a": ""}), ("b",)),
        (Holding(loaded=BOTH), ()),
    ],
)
def test_a_process_takes_work_for_what_does_not_rest_once_it_has_begun(
    holding: Holding, taken: tuple[str, ...]
) -> None:
    assert tuple(engine for engine in BOTH if holding.takes(engine)) == taken
