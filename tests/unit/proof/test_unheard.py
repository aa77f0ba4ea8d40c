"""Which of the words that were asked for were said, by what was heard and how well they fit."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dubbing.proof.unheard import Unheard, Word, unheard

SURE, LIKELY, DOUBTFUL, UNLIKELY = 0.9, 0.3, 0.1, 0.001


def lost(text: str, heard: str, fits: Mapping[str, float]) -> list[Unheard]:
    """Return the words that were not heard; all but those in ``fits`` are sure."""
    words = [Word(word, fits.get(word, SURE)) for word in text.split()]
    return [*unheard(words, heard.split())]


@pytest.mark.parametrize(
    ("heard", "fits", "missing"),
    [
        ("We are going home.", UNLIKELY, None),
        ("Weare going home", UNLIKELY, None),
        ("We're going home.", LIKELY, False),
        ("We're going home.", DOUBTFUL, True),
        ("We going home.", LIKELY, True),
        ("We going home.", SURE, False),
        ("We were going home.", UNLIKELY, False),
    ],
)
def test_the_less_is_heard_in_the_place_of_a_word_the_better_it_has_to_fit(
    heard: str, fits: float, missing: bool | None
) -> None:
    found = lost("We are going home.", heard, {"are": fits})
    assert found == ([] if missing is None else [Unheard(fits, missing)])


def test_a_word_within_another_one_is_missed_at_its_own_place() -> None:
    found = lost("She saw the theatre.", "She saw theatre.", {"the": DOUBTFUL})
    assert found == [Unheard(DOUBTFUL, missing=True)]


def test_either_of_two_words_may_be_missing_when_one_is_heard() -> None:
    for place in ("we", "were"):
        found = lost("Since we were here.", "Since we're here.", {place: DOUBTFUL})
        assert Unheard(DOUBTFUL, missing=True) in found


def test_a_name_is_heard_as_another_one_but_not_as_nothing() -> None:
    fits = {"Ysolde": UNLIKELY, "Marrin": UNLIKELY}
    assert lost("Tell Ysolde Marrin so.", "Tell his old marine so.", fits) == []
    assert lost("Tell Ysolde Marrin so.", "Tell captain Reed so.", fits) == 2 * [
        Unheard(UNLIKELY, missing=False)
    ]
    assert lost("Tell Ysolde Marrin so.", "Tell so.", fits) == 2 * [Unheard(UNLIKELY, missing=True)]
    assert lost("Tell Ysolde so.", "Tell me so.", fits) == [Unheard(UNLIKELY, missing=False)]


@pytest.mark.parametrize("heard", ["Roberta", "Rober", "Rupert"])
def test_a_name_that_is_known_to_the_model_is_no_other_one(heard: str) -> None:
    word = Word("Robert", DOUBTFUL, known=True)
    assert [*unheard([word], [heard])] == [Unheard(DOUBTFUL, missing=False)]
    assert [*unheard([word._replace(known=False)], [heard])] == []
