"""Which of the words that were asked for were said, by what was heard and how well they fit."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dubbing.proof.unheard import Word, unheard

SURE, DOUBTFUL, UNLIKELY = 0.9, 0.1, 0.001


def lost(text: str, heard: str, fits: Mapping[str, float]) -> list[float]:
    """Return the probabilities of words that were not heard; all but ``fits`` are sure."""
    words = [Word(word, fits.get(word, SURE)) for word in text.split()]
    return [*unheard(words, heard.split())]


@pytest.mark.parametrize(
    ("heard", "found"),
    [
        ("We are going home.", []),
        ("Weare going home", []),
        ("We're going home.", [UNLIKELY]),
        ("We going home.", [UNLIKELY]),
        ("We were going home.", [UNLIKELY]),
    ],
)
def test_words_that_were_heard_otherwise_are_found(heard: str, found: list[float]) -> None:
    assert lost("We are going home.", heard, {"are": UNLIKELY}) == found


def test_a_word_within_another_one_is_missed_at_its_own_place() -> None:
    found = lost("She saw the theatre.", "She saw theatre.", {"the": DOUBTFUL})
    assert found == [DOUBTFUL]


def test_either_of_two_words_may_be_missing_when_one_is_heard() -> None:
    for place in ("we", "were"):
        found = lost("Since we were here.", "Since we're here.", {place: DOUBTFUL})
        assert DOUBTFUL in found


def test_a_name_is_heard_as_another_one_but_not_as_nothing() -> None:
    fits = {"Ysolde": UNLIKELY, "Marrin": UNLIKELY}
    assert lost("Tell Ysolde Marrin so.", "Tell his old marine so.", fits) == []
    assert lost("Tell Ysolde Marrin so.", "Tell captain Reed so.", fits) == [UNLIKELY] * 2
    assert lost("Tell Ysolde Marrin so.", "Tell so.", fits) == [UNLIKELY] * 2
    assert lost("Tell Ysolde so.", "Tell me so.", fits) == [UNLIKELY]


@pytest.mark.parametrize("heard", ["Roberta", "Rober", "Rupert"])
def test_a_name_that_is_known_to_the_model_is_no_other_one(heard: str) -> None:
    word = Word("Robert", DOUBTFUL, known=True)
    assert [*unheard([word], [heard])] == [DOUBTFUL]
    assert [*unheard([word._replace(known=False)], [heard])] == []
