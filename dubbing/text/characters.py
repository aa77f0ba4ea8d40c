"""The characters of a line: normal form, whether it can be spoken, and its script."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

UNSEEN = frozenset({"Cc", "Cs"})
"""Categories of characters without a shape, which do not change other shapes either."""
JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: they change how some scripts are read."""
JOINING = frozenset(
    {
        *("ARABIC", "SYRIAC", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI"),
        *("ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR"),
    }
)
"""Scripts in which a joiner has a meaning, by the first word of their letters' names."""
SCRIPTS: dict[str, frozenset[str]] = {
    "Latn": frozenset({"LATIN"}),
    "Cyrl": frozenset({"CYRILLIC"}),
    "Grek": frozenset({"GREEK"}),
    "Arab": frozenset({"ARABIC"}),
    "Hebr": frozenset({"HEBREW"}),
    "Deva": frozenset({"DEVANAGARI"}),
    "Thai": frozenset({"THAI"}),
    "Hans": frozenset({"CJK"}),
    "Hant": frozenset({"CJK", "BOPOMOFO"}),
    "Jpan": frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    "Kore": frozenset({"HANGUL", "CJK"}),
}
"""Letters used by each ISO 15924 script, by the first word of their names."""
SELDOM = JOINING.union(*SCRIPTS.values()) - {"LATIN"}
"""Scripts in which text of another script holds no names; any text may hold Latin ones."""
MOST_MARKS = 30
"""Marks on one letter, as in Unicode's stream-safe text; no language needs more."""
FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Hangul letters without a sound or a shape."""
DENSE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI"})
"""Scripts whose letters count as words: a letter says as much, or spaces do not separate words."""


def normalise(text: str) -> str:
    """Return ``text`` in NFC, without characters that have neither sound nor shape.

    Control characters, bidi marks and zero-width characters are removed; joiners stay in scripts
    that read them. All whitespace becomes single spaces.
    """
    if not text.isprintable():
        text = "".join(_kept(text, index) for index in range(len(text)))
    return " ".join(_composed(text).split())


def as_shown(text: str) -> str:
    """Return ``text`` as subtitles show it: in NFC, each line without spaces around it.

    Control characters, lone surrogates and blank lines are removed. Line breaks, bidi marks and
    joiners stay.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    lines = text.replace("\t", " ").splitlines()
    shown = (
        "".join(character for character in line if unicodedata.category(character) not in UNSEEN)
        for line in lines
    )
    return "\n".join(_composed(line).strip() for line in shown if normalise(line))


def speakable(text: str) -> bool:
    """Whether ``text`` has a letter or a digit; Hangul fillers do not count."""
    return any(character.isalnum() and character not in FILLERS for character in text)


def script_mismatch(text: str, language: str) -> str | None:
    """Return the scripts of words in ``text`` that ``language`` does not use; None if it uses all.

    Latin words and single letters, as in a formula, count only where they are most of the text.
    Returns None for languages whose tag or script is unknown.
    """
    own = _scripts_of(language)
    if own is None or (text.isascii() and "LATIN" in own):
        return None
    found: Counter[str] = Counter()
    whole: set[str] = set()
    for word in text.split():
        letters = Counter(_script(character) for character in word if character.isalpha())
        found.update({script: n if script in DENSE else 1 for script, n in letters.items()})
        whole.update(script for script, n in letters.items() if n > 1)
    foreign = found.keys() - own
    if sum(found[script] for script in own) * 2 >= found.total():
        foreign &= whole & SELDOM
    if not foreign:
        return None
    shown = sorted(foreign, key=lambda script: (-found[script], script))
    named = " and ".join(map(_title, shown))
    return f"{named}, not {' or '.join(_title(script) for script in sorted(own))}"


def shares_script(text: str, other: str) -> bool:
    """Whether at least half of the letters of ``text`` are in scripts that ``other`` has."""
    own = {_script(character) for character in other if character.isalpha()}
    shared = [_script(character) in own for character in text if character.isalpha()]
    return 2 * sum(shared) >= len(shared)


@lru_cache(maxsize=256)
def _scripts_of(language: str) -> frozenset[str] | None:
    # Its tables take as long to load as the rest of the client, which needs no script.
    from langcodes import Language  # noqa: PLC0415
    from langcodes.tag_parser import LanguageTagError  # noqa: PLC0415

    try:
        script = Language.get(language).maximize().script
    except LanguageTagError:
        return None
    return SCRIPTS.get(script or "")


def _composed(text: str) -> str:
    """Return ``text`` in NFC; unless it is so already, with at most `MOST_MARKS` marks on a letter.

    Python takes the square of their number to sort the marks.
    """
    if unicodedata.is_normalized("NFC", text):
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MOST_MARKS:
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))


def _kept(text: str, index: int) -> str:
    """Return the character at ``index`` as it stays, or nothing."""
    character = text[index]
    if character.isspace():
        return " "
    if character in JOINERS:
        return character if index and _script(text[index - 1]) in JOINING else ""
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs"} else character


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """Return the word of a letter's Unicode name that names its script."""
    words = unicodedata.name(character, "").split()
    if words[:1] in (["FULLWIDTH"], ["HALFWIDTH"]):
        words = words[1:]
    return words[0] if words else ""


def _title(script: str) -> str:
    return "Chinese characters" if script == "CJK" else script.title()
