"""Dates, in the languages that this module covers.

In other languages dates stay as written: the day may need a grammatical case that is not known
here.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from dubbing.text.wording.numerals import Numerals
from dubbing.text.wording.rule import (
    ALONE,
    END,
    OVER,
    START,
    Rule,
    ends_line,
    one_of,
    rule,
    word_before,
)

DAYS = {
    "en": "ordinal", "de": "ordinal", "sv": "ordinal-reale", "no": "ordinal-masculine",
    "fi": "ordinal", "ru": "ordinal-neuter-genitive", "fr": "numbering", "es": "numbering",
    "it": "numbering", "pt": "numbering", "nl": "numbering", "tr": "numbering", "id": "numbering",
}  # fmt: skip
"""CLDR's rule set for the day of the month."""
FIRST = {"fr": "ordinal-masculine", "it": "ordinal-masculine", "pt": "ordinal-masculine"}
"""CLDR's rule set for a month's first day, where it differs."""
GERMAN_CASES = {
    **dict.fromkeys(("am", "vom", "zum", "dem", "den", "ab", "bis", "seit", "im", "beim"), "-n"),
    **dict.fromkeys(("zur", "eines", "einem", "einen", "einer", "des"), "-n"),
    **dict.fromkeys(("der", "die", "das"), ""),
}  # fmt: skip
"""CLDR's ending of a German ordinal by the word before it; other words give ``-r``."""
CENTURY = 50
"""Two-digit years below it are in this century."""


def date_rules(numerals: Numerals) -> Iterator[Rule]:
    """Yield the rules for dates in figures and dates with a month's name."""
    dates = _Dates(numerals)
    figures = r"(?P<a>\d{1,4})(?P<sign>[./-])(?P<b>\d{1,2})(?P=sign)(?P<c>\d{2,4})"
    yield rule(rf"{ALONE}{figures}{OVER}", dates.in_figures)
    if numerals.language == "de":
        before = "|".join(rf"(?<=\b{word}\s)" for word in GERMAN_CASES)
        day = r"(?P<day>\d{1,2})\.(?P<number>1[0-2]|0?[1-9])\."
        yield rule(rf"(?:{before}){day}(?!\d)", dates.german_day)
    month = rf"(?P<month>{one_of(dates.months)})"
    link = r"\s(?:de\s|of\s)?"
    mark = r"(?:\.|st|nd|rd|th|er|º|°|ste|de|e)?"
    year = r"(?:(?P<link>,?\s(?:de\s|del\s)?)(?P<year>\d{4})(?!\d))?"
    yield rule(
        rf"{ALONE}(?P<day>\d{{1,2}}){mark}(?P<middle>{link}){month}(?P<dot>\.?){END}{year}{END}",
        dates.day_first,
    )
    if numerals.language == "en":
        last = rf"(?P<dot>\.?)\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d){END}"
        yield rule(rf"{START}{month}{last}{year}(?![:.]\d){END}", dates.month_first)


class _Dates:
    def __init__(self, numerals: Numerals) -> None:
        self._say = numerals
        self._names = {
            number: str(name) for number, name in numerals.locale.months["format"]["wide"].items()
        }
        self.months: dict[str, int] = {}
        self._short: set[str] = set()
        for width in ("abbreviated", "wide"):
            for number, name in numerals.locale.months["format"][width].items():
                plain = str(name).rstrip(".")
                for written in {plain, plain[:1].upper() + plain[1:]}:
                    self.months[written] = number
                    (self._short.discard if width == "wide" else self._short.add)(written)

    def in_figures(self, match: re.Match[str]) -> str | None:
        figures, sign = (match["a"], match["b"], match["c"]), match["sign"]
        whole = len(match["a"]) == 4 or len(match["c"]) == 4
        if not whole and sign not in self._short_pattern():
            return None
        found = self._read(*figures, sign)
        if found is None:
            return match.group() if whole else None
        day = self._day(found.day, match)
        year = self._say.year(found.year)
        if day is None or year is None:
            return match.group()
        pattern = str(self._say.locale.date_formats["long"].pattern)
        if pattern.startswith("MMMM"):
            return f"{self._names[found.month]} {day}, {year}"
        pattern = re.sub(r"'г'\.?", "'года'", pattern).replace("d.", "d")
        if self._say.language == "en":
            pattern = "'the' d 'of' MMMM y"
        words = {"d": day, "MMMM": self._names[found.month], "y": year}
        said = re.sub(r"'([^']*)'|MMMM|d|y", lambda m: m[1] or words[m[0]], pattern)
        return " ".join(said.split())

    def german_day(self, match: re.Match[str]) -> str | None:
        """Return a day and a month in figures, as in ``am 1.5.``, in words."""
        if not 1 <= int(match["day"]) <= 31:
            return None
        day = self._day(int(match["day"]), match)
        # At the end of the line, the month's full stop ends the sentence too.
        end = "." if ends_line(match) else ""
        return day and f"{day} {self._names[int(match['number'])]}{end}"

    def day_first(self, match: re.Match[str]) -> str | None:
        if not self._is_month(match):
            return None
        day = self._day(int(match["day"]), match)
        if day is None:
            return match.group()
        middle = match["middle"]
        if self._say.language == "en":
            article = "" if word_before(match).lower() in {"the", "this", "every"} else "the "
            day, middle = f"{article}{day}", " of "
        return f"{day}{middle}{self._month(match)}{self._year(match)}"

    def month_first(self, match: re.Match[str]) -> str | None:
        if not self._is_month(match):
            return None
        day = self._day(int(match["day"]), match)
        return day and f"{self._month(match)} {day}{self._year(match)}"

    def _read(self, a: str, b: str, c: str, sign: str) -> datetime.date | None:
        """Return the date of three numbers, in the language's order unless a year comes first."""
        order = re.findall(r"[dMy]", re.sub(r"([dMy])\1+", r"\1", self._short_pattern()))
        if len(a) == 4:
            year, month, day = int(a), int(b), int(c)
        elif order == ["M", "d", "y"] and sign == "/" and int(a) <= 12:
            year, month, day = int(c), int(a), int(b)
        elif order[:1] == ["y"] or len(a) > 2 or len(c) == 3:
            return None
        else:
            year, month, day = int(c), int(b), int(a)
        if len(c) == 2 and len(a) != 4:
            year += 2000 if year < CENTURY else 1900
        try:
            return datetime.date(year, month, day)
        except ValueError:
            return None

    def _short_pattern(self) -> str:
        return str(self._say.locale.date_formats["short"].pattern)

    def _is_month(self, match: re.Match[str]) -> bool:
        """Whether a month is meant; a short form may be another word and needs more evidence."""
        if not 1 <= int(match["day"]) <= 31:
            return False
        certain = match["dot"] or match["year"] or self._say.language == "en"
        return bool(certain) or match["month"] not in self._short

    def _month(self, match: re.Match[str]) -> str:
        if match["month"] not in self._short:
            return match["month"] + match["dot"]
        ends = ends_line(match) and not match["year"]
        return self._names[self.months[match["month"]]] + (match["dot"] if ends else "")

    def _day(self, day: int, match: re.Match[str]) -> str | None:
        language = self._say.language
        form = FIRST.get(language) if day == 1 else None
        form = form or DAYS.get(language)
        if form and language == "de":
            form += GERMAN_CASES.get(word_before(match).lower(), "-r")
        return self._say.say(day, form) if form else None

    def _year(self, match: re.Match[str]) -> str:
        if not match["year"]:
            return ""
        return match["link"] + (self._say.year(int(match["year"])) or match["year"])
