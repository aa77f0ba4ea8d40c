"""Which texts a take may say instead of the one that was asked for."""

from __future__ import annotations

import unicodedata

import pytest

from dubbing.proof.rivals import DIVIDED, FIRST, NAMED, OMITTED, READ, Kind, Word, plain, rivals

Found = list[tuple[str, str, Kind]]


def against(text: str, heard: str) -> Found:
    """Return the words that each rival lacks, its own words, and its kind."""
    asked = [Word(f" {word}", [at]) for at, word in enumerate(text.split())]
    other = [Word(f" {word}", [100 + at]) for at, word in enumerate(heard.split())]
    texts = {word.tokens[0]: word.text for word in asked + other}
    return [
        (rival.words, "".join(texts[token] for token in rival.tokens).strip(), rival.kind)
        for rival in rivals(asked, other)
    ]


def read(text: str, heard: str) -> Found:
    """Return the rivals that say what was read."""
    return [rival for rival in against(text, heard) if rival not in against(text, text)]


def test_a_take_may_lack_any_word() -> None:
    assert against("We go – home.", "We go home.") == [
        ("We", "go – home.", FIRST),
        ("go", "We – home.", OMITTED),
        ("home.", "We go –", OMITTED),
    ]
    assert against("Yes.", "Yes") == []


@pytest.mark.parametrize(
    ("heard", "found"),
    [
        ("We are going home", []),
        ("Weare going home.", []),
        ("We home.", [("are going", "We home.", OMITTED)]),
        ("", []),
        ("We are not going home.", []),
        ("We were going home.", [("are", "We were going home.", READ)]),
        ("We're going home.", [("We are", "We're going home.", READ)]),
        (
            "He are gone home.",
            [("We", "He are going home.", READ), ("going", "We are gone home.", READ)],
        ),
    ],
)
def test_a_take_may_say_what_was_read_instead(heard: str, found: Found) -> None:
    assert read("We are going home.", heard) == found


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("Ста́рый за́мок ещё мой.", "Старый замок ещё мой."),
        ("اَلرَّجُلُ فِي الْبَيْتِ", "الرجل في البيت"),
        ("שָׁלוֹם", "שלום"),
        ("девʼять", "дев'ять"),
        ("दिल्ली में ज़्यादा", "दिल्ली में ज़्यादा"),
        ("ที่นี่ đẹp ça l’été", "ที่นี่ đẹp ça l’été"),
    ],
)
def test_marks_that_whisper_does_not_write_are_not_compared(text: str, compared: str) -> None:
    assert plain(text) == unicodedata.normalize("NFC", compared)


def test_of_a_long_text_only_words_that_were_not_read_may_be_missing() -> None:
    text = "We go home. " * 20
    assert against(text, text.strip()) == []
    ((words, _, kind),) = against(text, text.replace("go", "", 1))
    assert (words, kind) == ("go", OMITTED)


def test_a_name_is_told_by_its_first_letter() -> None:
    assert read("Tell Anna Marrin so.", "Tell Robert Marine so.") == [
        ("Anna Marrin", "Tell Robert Marine so.", NAMED)
    ]
    assert read("Tell him so.", "Hell him so.")[0][2] is READ


@pytest.mark.parametrize(
    ("heard", "kind"),
    [("Tell us old so.", DIVIDED), ("Tell me at once so.", NAMED), ("Tell Isold so.", NAMED)],
)
def test_a_name_in_like_letters_and_more_words_was_misheard(heard: str, kind: Kind) -> None:
    assert [found for *_, found in read("Tell Ysolde so.", heard)] == [kind]


@pytest.mark.parametrize(
    ("text", "heard", "omitted"),
    [
        ("At Gull Point.", "At Gold Point.", {"At", "Point."}),
        ("At Gull Point.", "At the Point.", {"At", "Gull", "Point."}),
        ("You have food.", "You are food.", {"You", "have", "food."}),
        ("At Gull Point.", "At go long Point.", {"At", "Gull", "Point."}),
    ],
)
def test_a_word_that_was_read_as_a_like_one_was_said(
    text: str, heard: str, omitted: set[str]
) -> None:
    found = against(text, heard)
    assert {words for words, _, kind in found if kind in {FIRST, OMITTED}} == omitted
