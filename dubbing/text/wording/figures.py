"""Plain numbers: ordinals, ranges, fractions, and all others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubbing.text.wording import habits
from dubbing.text.wording.dates import GERMAN_CASES
from dubbing.text.wording.gender import is_feminine
from dubbing.text.wording.numerals import Numerals
from dubbing.text.wording.rule import ALONE, END, OVER, START, TILDES, Rule, one_of, rule

ORDINALS: dict[str, dict[str, str]] = {
    "en": dict.fromkeys(("st", "nd", "rd", "th"), "ordinal"),
    "fr": {
        **dict.fromkeys(("er", "e", "ème", "eme", "nd"), "ordinal-masculine"),
        **dict.fromkeys(("re", "ère"), "ordinal-feminine"),
    },
    "es": {
        **dict.fromkeys(("º", ".º"), "ordinal-masculine"),
        **dict.fromkeys(("ª", ".ª"), "ordinal-feminine"),
        **dict.fromkeys(("er", ".er"), "ordinal-masculine-adjective"),
    },
    "it": {"º": "ordinal-masculine", "°": "ordinal-masculine", "ª": "ordinal-feminine"},
    "pt": {
        **dict.fromkeys(("º", ".º"), "ordinal-masculine"),
        **dict.fromkeys(("ª", ".ª"), "ordinal-feminine"),
    },
    "nl": dict.fromkeys(("e", "ste", "de"), "ordinal"),
    "sv": dict.fromkeys((":a", ":e"), "ordinal-reale"),
    "ru": {"-й": "ordinal-masculine", "-я": "ordinal-feminine", "-е": "ordinal-neuter",
           "-го": "ordinal-masculine-genitive"},
}  # fmt: skip
"""CLDR's rule set by the mark after the digits."""
TIGHT = frozenset({"de", "nl", "sv", "da", "no"})
"""Languages that write a number and its suffix as one word."""

SIGNS = "%٪‰°€$£¥₹₽₺₩₴₪"
"""A number beside one of these signs stays as written, unless an earlier rule said both."""
FRACTIONS = {"1/2": "½", "1/4": "¼", "3/4": "¾", "1/3": "⅓", "2/3": "⅔"}


def figure_rules(numerals: Numerals) -> Iterator[Rule]:
    """Yield the rules for numbers, the most specific first."""
    figures = _Figures(numerals)
    language, number = numerals.language, numerals.number
    if marks := ORDINALS.get(language):
        yield rule(rf"{ALONE}(?P<number>\d{{1,9}})(?P<mark>{one_of(marks)}){END}", figures.ordinal)
    if language == "de":
        before = one_of(key for word in GERMAN_CASES for key in (word, word.capitalize()))
        yield rule(
            rf"{START}(?P<before>{before}\s)(?P<number>\d{{1,4}})\.(?=\s[^\W\d])",
            figures.german_ordinal,
        )
    if to := habits.RANGE.get(language):
        yield rule(
            rf"{ALONE}(?P<low>{number})(?:\s?[–—{TILDES}]\s?|-)(?P<high>{number}){OVER}(?!-)",
            lambda match: figures.range(match, to),
        )
    if parts := habits.PARTS.get(language):
        yield rule(rf"(?:{ALONE}(?P<number>\d{{1,4}})\s?)?(?P<part>{one_of(parts)})", figures.part)
        yield rule(
            rf"{ALONE}{one_of(FRACTIONS)}{OVER}", lambda match: parts[FRACTIONS[match.group()]]
        )
    yield rule(
        rf"(?P<minus>(?<!\w)−)?{ALONE}(?<![{SIGNS}])(?P<number>{number}){OVER}(?!\s?[{SIGNS}])"
        r"(?=(?:\s(?P<noun>[^\W\d]+))?)",
        figures.number,
    )
    yield rule(r"(?<!\d)(?<!\d[.,])\d+(?:\.\d+)+(?!\d)", figures.dotted)
    yield rule(
        rf"(?:(?<=[^\W\d])\d+(?!\d)|{ALONE}\d+(?=[^\W\d]))(?![.,:/]\d)"
        r"(?P<rest>[a-zäöüßåæø]{3,})?",
        figures.glued,
    )


class _Figures:
    def __init__(self, numerals: Numerals) -> None:
        self._say = numerals

    def ordinal(self, match: re.Match[str]) -> str | None:
        form = ORDINALS[self._say.language][match["mark"]]
        return self._say.say(int(match["number"]), form)

    def german_ordinal(self, match: re.Match[str]) -> str | None:
        form = "ordinal" + GERMAN_CASES[match["before"].strip().lower()]
        said = self._say.say(int(match["number"]), form)
        return said and match["before"] + said

    def range(self, match: re.Match[str], to: str) -> str | None:
        """Return a range in words; None unless the second number is greater."""
        if self._say.value(match["low"]) >= self._say.value(match["high"]):
            return None
        low, high = self._say.read_bare(match["low"]), self._say.read_bare(match["high"])
        return f"{low} {to} {high}" if low and high else None

    def part(self, match: re.Match[str]) -> str | None:
        language = self._say.language
        part = habits.PARTS[language][match["part"]]
        if match["number"] is None:
            return part
        said = self._say.read(match["number"], counting=True)
        if said and match["part"] == "½" and language in habits.HALVES:
            return habits.HALVES[language].format(said)
        return None

    def number(self, match: re.Match[str]) -> str | None:
        noun = match["noun"] or ""
        written = match["number"]
        if self._say.is_year(written):
            return self._say.year(int(written))
        # German numbers above one do not depend on the gender of the noun.
        agrees = written == "1" or self._say.language != "de"
        feminine = agrees and is_feminine(self._say.language, noun, after_one=written.endswith("1"))
        said = self._say.read(written, counting=self._counts(noun), feminine=feminine)
        minus = self._say.minus if match["minus"] else ""
        return said and f"{minus}{said}"

    def dotted(self, match: re.Match[str]) -> str | None:
        """Return a version or an address in words, part by part."""
        dot = habits.DOT.get(self._say.language)
        said = [self._say.read(part) for part in match.group().split(".")]
        return f" {dot} ".join(map(str, said)) if dot and None not in said else None

    def glued(self, match: re.Match[str]) -> str | None:
        """Return digits next to letters in words."""
        rest = match["rest"] or ""
        digits = match.group()[: len(match.group()) - len(rest)]
        said = self._say.read(digits) if len(digits) <= 4 else self._say.digits(digits)
        space = "" if self._say.language in TIGHT else " "
        return said and (f"{said}{space}{rest}" if rest else said)

    def _counts(self, noun: str) -> bool:
        """Whether the next word is counted; German writes nouns with a capital letter."""
        return bool(noun) and (self._say.language != "de" or noun[0].isupper())
