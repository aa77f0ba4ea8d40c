"""Signs that stand for no words; an engine would read out their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from dubbing.text.wording.rule import TILDES
from dubbing.text.wording.spans import Span, joined

SILENT = frozenset("*∗#＃＊_‗|¦\\^`´¬•†‡¶※‣/／⁄" + TILDES)
"""Silent signs beside those that Unicode classes as symbols."""
WORDS = frozenset("°℃℉©№")
"""Symbols that are spoken."""
SELECTORS = frozenset("\ufe0e\ufe0f\u20e3")
"""Characters that change the look of a sign or a digit."""
LIKE_LETTERS = ("<circle>", "<square>", "<compat>")
SIGN = re.compile(r"""[^\w\s.,:;!?'"()…’“”–—-]|_""")
"""A sign that may be silent; punctuation never is."""
PAUSE = re.compile(r"[,.;:!?…)\]}»”’]|$")
APOSTROPHE = re.compile(r"(?<=\w)[´`](?=\w)")
BESIDE = 4
"""Characters beside a sign in which a number may stand, after a space."""
SCHEME = re.compile(r"(?<!\w)https?://(?=\w)")


def plain(text: str) -> str:
    """Return ``text`` with plain letters for raised ones and apostrophes for accents used as such.

    Every character keeps its position.
    """
    if text.isascii() and "`" not in text:
        return text
    return APOSTROPHE.sub("'", "".join(map(_lowered, text)))


def unspoken(text: str) -> Iterator[Span]:
    """Yield spans of signs that are not spoken, each with its replacement."""
    for match in SCHEME.finditer(text):
        yield (*match.span(), "")
    start = end = -1
    for match in SIGN.finditer(text):
        if not is_silent(match.group()):
            continue
        if text[end : match.start()].strip() or start < 0:
            if start >= 0:
                yield _left_out(text, start, end)
            start = match.start()
        end = match.end()
    if start >= 0:
        yield _left_out(text, start, end)


def without_signs(text: str) -> str:
    """Return ``text`` without the signs that are not spoken."""
    return joined(text, unspoken(text))


def is_silent(character: str) -> bool:
    """Whether a sign has no words of its own."""
    if character in SILENT or character in SELECTORS:
        return True
    if character in WORDS:
        return False
    category = unicodedata.category(character)
    if category == "So":
        # Circled letters and similar signs are read as the letter inside.
        return not unicodedata.decomposition(character).startswith(LIKE_LETTERS)
    return (
        category == "Sk" or "\u2190" <= character <= "\u21ff" or "\u25a0" <= character <= "\u25ff"
    )


def _left_out(text: str, start: int, end: int) -> Span:
    """Return the replacement of a run of signs: a dash between numbers, else nothing."""
    before = text[max(0, start - BESIDE) : start].rstrip()[-1:]
    after = text[end : end + BESIDE].lstrip()[:1]
    if text[start:end] in TILDES and before.isdigit() and after.isdigit():
        return start, end, "–"
    # No space is left before a comma.
    if text[start - 1 : start] == " " and PAUSE.match(text, end):
        start -= 1
    return start, end, ""


def _lowered(character: str) -> str:
    """Return the plain letter of a raised one, or ``character`` itself."""
    if unicodedata.category(character) != "Lm":
        return character
    kind, *letters = unicodedata.decomposition(character).split() or [""]
    return chr(int(letters[0], 16)) if kind == "<super>" and len(letters) == 1 else character
