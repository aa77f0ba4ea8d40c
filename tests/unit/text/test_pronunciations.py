"""Pronunciation dictionaries: the spoken words of lines that hold listed words."""

from __future__ import annotations

import pytest

from dubbing.text.characters import normalise
from dubbing.text.wording import Wording, spoken

WORDS = {"NASA": "Nassa", "Xi": "Schi", "Xi Jinping": "Schi Dschinping", "C++": "Ze plus plus"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Xi at NASA.", "Schi at Nassa."),
        ("Xi Jinping's Xi", "Schi Dschinping's Schi"),
        ("nasa, Nasa, NASAs, taxi", "Nassa, Nassa, NASAs, taxi"),
        ("C++, C", "Ze plus plus, C"),
        ("Xí, Xi\u0323", "Xí, Xi\u0323"),
    ],
)
def test_listed_words_are_said_as_listed_where_they_stand_alone(written: str, said: str) -> None:
    assert spoken(normalise(written), "en", WORDS) == normalise(said)


def test_a_word_as_listed_goes_before_one_in_another_case() -> None:
    words = {"polish": "pollish", "Polish": "Polisch"}
    assert spoken("Polish the Polish, polish, POLISH", "en", words) == (
        "Polisch the Polisch, pollish, Polisch"
    )


def test_what_the_dictionary_puts_in_is_said_as_it_is() -> None:
    words = {"Dr. No": "Dr. No 7", "5 km": "5 K & M", "K2": "K2"}
    assert spoken("Dr. No, 5 km, 6 km on K2", "en", words) == (
        "Dr. No 7, 5 K & M, six kilometers on K2"
    )


def test_listed_words_are_found_where_no_spaces_are_written() -> None:
    assert spoken("我爱NASA的长安", "zh", {"NASA": "纳萨", "长安": "常安"}) == "我爱纳萨的常安"


def test_a_long_dictionary_costs_a_line_little() -> None:
    words = {f"word{n}": "said" for n in range(5000)}
    wording = Wording("en", words)
    assert wording.spoken("a word77 and word4999") == "a said and said"


@pytest.mark.parametrize(
    ("words", "written", "said"),
    [
        ({"Xi Jin": "X"}, "Xi Jinping, Xi Jin", "Xi Jinping, X"),
        ({"Xi Jinping": "A", "Jinping": "B"}, "Xi Jinping, Jinping", "A, B"),
        ({"Xi": "A", "Xi Jinping": "B", "Xi Jin": "C"}, "Xi Jinping", "B"),
        ({"क": "का"}, "कि क", "कि का"),
    ],
)
def test_the_longest_whole_word_counts(words: dict[str, str], written: str, said: str) -> None:
    assert spoken(written, "hi", words) == said
