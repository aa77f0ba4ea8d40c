"""Splitting of a line for an engine with a limit on what it speaks at once."""

from __future__ import annotations

import random

import pytest

from dubbing.text.sentences import split


def test_a_line_within_the_limit_is_one_part() -> None:
    assert split(" One. Two. ", "en", 9) == ["One. Two."]
    assert split("  ", "en", 9) == []


def test_neighbours_are_joined_up_to_the_limit() -> None:
    assert split("One. Two! Three? Four…", "en", 12) == ["One. Two!", "Three? Four…"]


@pytest.mark.parametrize(
    ("language", "text", "limit", "parts"),
    [
        ("de", "Er sagte: „Nein.“ Dann ging er.", 20, ["Er sagte: „Nein.“", "Dann ging er."]),
        ("zh", "一二三。四五六！七八九？", 8, ["一二三。四五六！", "七八九？"]),
        ("hi", "मैं ठीक हूँ। तुम कैसे हो?", 14, ["मैं ठीक हूँ।", "तुम कैसे हो?"]),
        ("ar", "كيف حالك؟ أنا بخير.", 12, ["كيف حالك؟", "أنا بخير."]),
        ("en", "One is here. Dr. Smith is.", 17, ["One is here.", "Dr. Smith is."]),
        ("de", "Es war da. Der 3. Mann.", 17, ["Es war da.", "Der 3. Mann."]),
        ("el", "Ένα; Δύο, τρία.", 10, ["Ένα;", "Δύο, τρία."]),
        ("en", "It cost 3.50 at x.com. Fine.", 22, ["It cost 3.50 at x.com.", "Fine."]),
    ],
)
def test_sentences_end_where_their_script_ends_them(
    language: str, text: str, limit: int, parts: list[str]
) -> None:
    assert split(text, language, limit) == parts


def test_a_sentence_that_is_too_long_is_cut_at_a_comma_and_else_between_words() -> None:
    assert split("Wenn du kommst, bin ich schon weg.", "de", 20) == [
        "Wenn du kommst,",
        "bin ich schon weg.",
    ]
    assert split("one two three four five", "en", 11) == ["one two", "three four", "five"]


def test_words_stay_whole_where_that_is_asked() -> None:
    assert split("Unbelievable, Jim.", "en", 10, whole_words=True) == ["Unbelievable,", "Jim."]
    assert split("Constantinople", "en", 8, whole_words=True) == ["Constantinople"]
    assert split("我有孩子，都在上学。", "zh", 6, whole_words=True) == ["我有孩子，", "都在上学。"]


def test_text_without_spaces_is_cut_between_characters_as_one_sees_them() -> None:
    assert split("十十十十十十十", "zh", 3) == ["十十十", "十十十", "十"]
    assert split("กำกำกี่", "th", 4) == ["กำกำ", "กี่"]
    assert split("e\u0301" * 3, "en", 3) == ["e\u0301", "e\u0301", "e\u0301"]
    family = "👩\u200d👩\u200d👧"
    assert split(f"{family}a", "en", 2) == [family, "a"]


def test_a_limit_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="a limit of 0 characters"):
        split("a", "en", 0)


SIGNS = "abc  ,.!?;:。！？，、।؟\"')”)٣5é\u0301\u200dกำ漢字…-—\n"


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_or_doubled_or_too_long(seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(300):
        text = "".join(choose.choice(SIGNS) for _ in range(choose.randrange(100)))
        limit = choose.randrange(1, 40)
        parts = split(text, "en", limit)
        assert "".join("".join(parts).split()) == "".join(text.split())
        assert all(part == part.strip() != "" for part in parts)
        assert all(len(part) <= limit or "\u0301" in part or "\u200d" in part for part in parts)


@pytest.mark.timeout(15)
def test_a_very_long_text_is_cut_in_time() -> None:
    parts = split("a" * 50_000 + " b." * 10_000, "en", 250)
    assert max(map(len, parts)) == 250
