"""The rules of retention, as people write them."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest

from dubbing.errors import BadInput
from dubbing.retention.rules import DAY, FOR_EVER, Bound, Kind, Rules, beyond


class Thing(NamedTuple):
    modified: float
    size: int


def test_a_tenant_has_its_own_rules_and_for_the_rest_those_of_all() -> None:
    rules = Rules.read(
        {
            "*": {"outputs": "90d", "rounds": "8w"},
            "acme": {"outputs": "30d 500GB", "rounds": "never"},
        }
    )
    assert rules.of(Kind.OUTPUTS, "other") == Bound(age=90 * DAY)
    assert rules.of(Kind.OUTPUTS, "acme") == Bound(30 * DAY, 500e9)
    assert rules.of(Kind.ROUNDS, "acme") == FOR_EVER
    assert rules.of(Kind.ROUNDS, "other").age == 56 * DAY


def test_nothing_but_garbage_is_removed_without_a_rule() -> None:
    kept = {kind for kind in Kind if Rules().of(kind, "acme") == FOR_EVER}
    assert kept == {Kind.OUTPUTS, Kind.ROUNDS, Kind.UPLOADS, Kind.VOICES, Kind.BACKGROUNDS}
    assert Rules.read({"*": {"clips": "never"}}).of(Kind.CLIPS) == FOR_EVER
    assert Rules.read({"*": {"clips": "500GB"}}).of(Kind.CLIPS) == Bound(math.inf, 500e9)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"*": {"films": "3d"}}, "'films' is none of the kinds outputs, rounds"),
        ({"*": {"outputs": "3"}}, "'3' is no age or size: write 12h, 30d"),
        ({"*": {"outputs": "30d,5GB"}}, "is no age or size"),
        ({"*": {"outputs": ""}}, "is no age or size"),
        ({"acme": {"clips": "30d"}}, "belong to all tenants: write their rule under '*'"),
        ({"*": {"clips": "1h"}}, "keep it for at least 1d"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(
    setting: dict[str, dict[str, str]], words: str
) -> None:
    with pytest.raises(BadInput, match=f"(?s)DUBBING_RETENTION.*{words}"):
        Rules.read(setting)


def test_the_oldest_go_when_there_are_too_many() -> None:
    things = [Thing(modified=at, size=10) for at in (1, 4, 2, 3)]
    assert [thing.modified for thing in beyond(things, Bound(size=25), now=5)] == [2, 1]
    assert [thing.modified for thing in beyond(things, Bound(age=3), now=5)] == [1]
    assert beyond(things, FOR_EVER, now=5) == []
