"""Telephone numbers, spoken digit by digit in their groups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from dubbing.text.wording import habits
from dubbing.text.wording.numerals import Numerals
from dubbing.text.wording.rule import END, START, Rule, rule

ANYWHERE = r"\+?\(?\d[\d ()/-]{5,30}\d"
"""A telephone number in any country, if it begins with ``+`` or ``0``."""
DOTTED = r"0\d{1,3}(?:\.\d{2,4}){3,5}"
LOCAL: dict[str, tuple[str, ...]] = {
    "en": (
        r"(?:1[ .-]?)?(?:\(\d{3}\)[ .-]?|\d{3}[ .-])\d{3}[ .-]\d{4}",
        r"\d{3}-\d{4}",
        r"1[38]00 \d{3} \d{3}",
        r"[6-9]\d{4} \d{5}",
        r"(?<=[Cc]all |[Dd]ial |[Rr]ing )(?:911|999|988|411|311|112|000)",
    ),
    "hi": (r"[6-9]\d{4} \d{5}",),
    "es": (
        r"[6-9]\d{2}(?:[ -]\d{3}){2}(?!\s(?:de\s|[€$]|\w+s\b))",
        r"[6-9]\d{2}(?:[ .-]\d{2}){3}",
        r"[89]\d[ .-]\d{3}(?:[ .-]\d{2}){2}",
    ),
    "it": (r"3\d{2}[ -]\d{3}[ -]\d{3,4}", r"3\d{2}[ /-]\d{6,7}"),
    "pt": (r"(?:\(\d{2}\) ?|\d{2} )9?\d{4}-\d{4}", r"9\d{4}-\d{4}", r"9\d{2}-\d{3}-\d{3}"),
    "pl": (r"\d{3}-\d{3}-\d{3}", r"\(\d{2}\) \d{3}-\d{2}-\d{2}"),
    "ru": (r"(?:8[ -]?)?(?:\(\d{3}\) ?|\d{3}[ -])\d{3}-\d{2}-\d{2}", r"\d{3}-\d{2}-\d{2}"),
    "uk": (r"\d{3}-\d{2}-\d{2}",),
    "da": (r"\d{2}(?: \d{2}){3}",),
    "no": (r"\d{2}(?: \d{2}){3}", r"\d{3} \d{2} \d{3}"),
}
"""Numbers without country or trunk code, as written where a language is spoken."""


def telephone_rules(numerals: Numerals) -> Iterator[Rule]:
    """Yield the rules for telephone numbers."""
    say = partial(_digits, numerals)
    yield rule(rf"{START}(?:{DOTTED}|{ANYWHERE}){END}", partial(_general, say))
    for local in LOCAL.get(numerals.language, ()):
        yield rule(rf"{START}(?<!\d[.,:/'’+-]){local}(?![.,:/'’-]?\d){END}", say)


def _general(say: partial[str | None], match: re.Match[str]) -> str | None:
    """Return a telephone number that begins with ``+`` or ``0`` in words, or None."""
    written = match.group()
    count = sum(map(str.isdecimal, written))
    return say(match) if written.lstrip("(")[0] in "+0" and 7 <= count <= 15 else None


def _digits(numerals: Numerals, match: re.Match[str]) -> str | None:
    written = match.group()
    said = [numerals.digits(group) for group in re.findall(r"\d+", written)]
    if None in said:
        return None
    plus = habits.SIGNS.get(numerals.language, {}).get("+", "") if written[0] == "+" else ""
    return f"{plus} {', '.join(map(str, said))}".strip()
