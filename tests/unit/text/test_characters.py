"""Normal form of a line's characters, and detection of its script."""

from __future__ import annotations

import pytest

from dubbing.text.characters import normalise, script_mismatch, shares_script, speakable


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  two\twords\n\u00a0and\u3000more ", "two words and more"),
        ("nul\0, bell\x07 and \x1b[1mcolour", "nul, bell and [1mcolour"),
        ("\ufeffa\u200bb\u00adc\u2060d", "abcd"),
        ("\u202eright\u202c \u2067left\u2069\u200f", "right left"),
        ("u\u0308ber", "über"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("no\u200djoiner\u200c here", "nojoiner here"),
        ("half \ud83d of a pair", "half of a pair"),
        ("♪ 1984 – «да» ♪", "♪ 1984 – «да» ♪"),
        ("\u2028line\u2029paragraph\x85next", "line paragraph next"),
        ("", ""),
    ],
)
def test_what_has_no_sound_and_no_shape_is_removed(written: str, kept: str) -> None:
    assert normalise(written) == kept
    assert normalise(kept) == kept


@pytest.mark.parametrize("text", ["", "…", "♪ ♪", "👍🎉", "?!", "— –", "🇩🇪", "(*)"])
def test_signs_alone_cannot_be_spoken(text: str) -> None:
    assert not speakable(text)


@pytest.mark.parametrize("text", ["a", "7", "你", "ก", "♪ la ♪", "½"])
def test_a_letter_or_a_figure_can_be_spoken(text: str) -> None:
    assert speakable(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Guten Tag", "de"),
        ("Привет, Elizabeth", "ru"),
        ("Zdravo", "sr-Latn"),
        ("你好", "zh"),
        ("你好", "cmn"),
        ("我叫 Elizabeth Smith", "zh-TW"),
        ("これはペンです", "ja"),
        ("안녕하세요", "ko"),
        ("Καλημέρα", "el"),
        ("مرحبا", "fa"),
        ("שלום", "he"),
        ("नमस्ते", "hi"),
        ("สวัสดี", "th"),
        ("Ｈｅｌｌｏ", "en"),
        ("1984", "ru"),
        ("Die β-Strahlung und π", "de"),
        ("The 1ª on Hawaiʻi has µTorrent", "en"),
        ("Ein 我", "de"),
        ("hello", "ka"),
        ("hello", "no tag"),
    ],
)
def test_text_in_its_languages_script_is_no_mismatch(text: str, language: str) -> None:
    assert script_mismatch(text, language) is None


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("Привет", "en", "Cyrillic, not Latin"),
        ("Hello there", "ru", "Latin, not Cyrillic"),
        ("你好", "de", "Chinese characters, not Latin"),
        ("これはペンです", "zh", "Hiragana"),
        ("Hello", "ja", "Latin"),
        ("नमस्ते, Anna", "th", "Devanagari and Latin, not Thai"),
        ("שלום", "ar", "Hebrew, not Arabic"),
        ("مرحبا my friend שלום", "en", "Arabic and Hebrew, not Latin"),
        ("He called her 姐姐 again", "en", "Chinese characters, not Latin"),
        ("Нello there, my friend, Неllo", "en", "Cyrillic, not Latin"),
    ],
)
def test_words_in_another_script_are_named(text: str, language: str, found: str) -> None:
    assert (script_mismatch(text, language) or "").startswith(found)


@pytest.mark.parametrize(
    ("text", "other", "shared"),
    [
        ("मुझे जाना है", "हम सब", True),
        ("مجھے جانا ہے", "हम सब", False),
        ("ham sab चल", "हम सब", False),
        ("2019", "हम सब", True),
        ("", "", True),
        ("だいどころ", "台所の机", True),
        ("Mein iPhone", "Ça va", True),
    ],
)
def test_a_text_may_be_in_the_script_of_another(text: str, other: str, shared: bool) -> None:
    assert shares_script(text, other) is shared
