"""Numbers with a sign between them, and multiples: ``16:9``, ``24/7``, ``4x4``, ``5x``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dubbing.text.wording import habits
from dubbing.text.wording.figures import FRACTIONS
from dubbing.text.wording.numerals import Numerals
from dubbing.text.wording.rule import ALONE, END, NEAR, OVER, TILDES, Rule, one_of, rule

SCREENS = frozenset({"16:9", "4:3", "21:9", "32:9", "9:16", "3:4", "5:4"})
"""Aspect ratios of pictures."""
VERSE = re.compile(r"[\w’'.,;)]\s(?:\d\s)?[A-ZÀ-Þ][^\W\d_]+\s$|^(?:\d\s)?[A-ZÀ-Þ][^\W\d_]{3,}\s$")
"""A book's name, after which the numbers are a chapter and a verse, not a ratio."""


def ratio_rules(numerals: Numerals) -> Iterator[Rule]:
    """Yield the rules; rules for dates and times of day have to come before them."""
    ratios = _Ratios(numerals)
    number = numerals.number
    yield rule(rf"{ALONE}(?P<low>{number}):(?P<high>\d|1\d{{2,4}}){OVER}", ratios.ratio)
    part = rf"(?!{one_of(FRACTIONS)}{OVER})" if numerals.language in habits.PARTS else ""
    yield rule(rf"{ALONE}{part}(?P<low>\d{{1,4}})/(?P<high>\d{{1,4}}){OVER}(?!/)", ratios.pair)
    if numerals.language in habits.BY:
        yield rule(rf"{ALONE}(?!0[xX]){number}(?:\s?[xX×]\s?{number})+{OVER}", ratios.by)
    if numerals.language in habits.TIMES:
        lower = rf"(?:(?P<low>{number})[-–{TILDES}])?"
        yield rule(rf"{ALONE}(?!0[x×]){lower}(?P<number>{number})[x×]{END}(?!\s?\d)", ratios.times)


class _Ratios:
    def __init__(self, numerals: Numerals) -> None:
        self._say = numerals

    def ratio(self, match: re.Match[str]) -> str | None:
        language = self._say.language
        link = habits.RATIO.get(language, "")
        if match.group() in SCREENS:
            link = habits.SHAPE.get(language, link)
        elif language != "de" and _names_a_book(match):
            link = ""
        return self._joined([match["low"], match["high"]], link)

    def pair(self, match: re.Match[str]) -> str | None:
        return self._joined([match["low"], match["high"]], "")

    def by(self, match: re.Match[str]) -> str | None:
        language = self._say.language
        times = "×" in match.group() and habits.SIGNS.get(language, {}).get("×")
        numbers = re.split(r"\s?[xX×]\s?", match.group())
        return self._joined(numbers, times or habits.BY[language])

    def times(self, match: re.Match[str]) -> str | None:
        """Return a multiple in words, in the form that CLDR's plural rules give."""
        language = self._say.language
        forms = habits.TIMES[language]
        category = str(self._say.locale.plural_form(self._say.value(match["number"])))
        feminine = language in habits.TIMES_FEMININE
        said = [
            self._say.read(number, counting=True, feminine=feminine)
            for number in (match["low"], match["number"])
            if number
        ]
        form = forms.get(category, forms["other"])
        to = f" {habits.RANGE.get(language, '–')} "
        return None if None in said else form.format(to.join(map(str, said)))

    def _joined(self, numbers: Sequence[str], link: str) -> str | None:
        said = [self._say.read_bare(number) for number in numbers]
        return None if None in said else (f" {link} " if link else " ").join(map(str, said))


def _names_a_book(match: re.Match[str]) -> bool:
    """Whether a book's name stands right before a match."""
    start = match.start()
    return VERSE.search(match.string, max(0, start - NEAR), start) is not None
