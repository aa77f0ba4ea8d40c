"""Numbers in words, by the spell-out rules of the Unicode CLDR.

Where these rules do not cover a language, or cover it without its grammar, its numbers stay as
written.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale
    from unicode_rbnf import RbnfEngine

LONGEST = 15
"""Digits of the longest number that is spoken as one; longer ones go digit by digit."""
CLASSIFIED = frozenset({"zh", "yue", "ja", "ko"})
"""Languages in which a number's words depend on the counted noun."""
SAME = {"nb": "no", "nn": "no", "tl": "fil", "iw": "he", "in": "id"}
"""Languages that CLDR covers under another tag."""
GROUPS = (" ", "'", "’")
"""Thousands separators that every language accepts beside its own."""
WHOLE_FRACTIONS = frozenset(
    {"fr", "es", "it", "pt", "ca", "ro", "pl", "ru", "uk", "bg", "el", "tr", "cs", "sk", "hr", "sr"}
)
"""Languages that speak two digits after the point as one number."""
YEARS = frozenset({"en", "de", "nl", "sv", "da", "no"})
"""Languages that speak years in hundreds."""
UNSPACED = frozenset({"th", "lo", "km", "my"})
"""Languages without spaces between words."""
POINTS = {"pl": "przecinek", "ru": "запятая", "th": "จุด"}
"""The decimal sign in words, where the rules lack it."""
COUNTING = {"es": 0, "ca": 0, "it": 1, "de": 1}
"""Languages with a special form of *one* before a noun: for every number that ends in one (0), or
for 1 alone (1)."""


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale | None:
    """Return CLDR's locale of a BCP 47 tag, or of its language alone; None without either."""
    from babel import Locale, UnknownLocaleError

    for tag in (language, language.split("-", maxsplit=1)[0]):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return None


class Numerals:
    """The numbers of one language, written and spoken."""

    def __init__(self, locale: Locale, engine: RbnfEngine) -> None:
        self.locale = locale
        self.language = SAME.get(locale.language, locale.language)
        self._engine = engine
        self._said: dict[tuple[int, str], str | None] = {}
        symbols = locale.number_symbols["latn"]
        group = str(symbols["group"])
        self._group = " \u00a0\u202f" if group.isspace() else group
        self._point_sign = str(symbols["decimal"])
        self._plain = str.maketrans(
            dict.fromkeys((*self._group, "٬", *GROUPS), "") | {self._point_sign: ".", "٫": "."}
        )
        groups, points = (re.escape(f"{sign}{other}") for sign, other in (
            (self._group, "٬"), (self._point_sign, "٫")
        ))  # fmt: skip
        # India groups digits by two above the thousands.
        by_two = "#,##,##0" in str(locale.decimal_formats[None].pattern)
        upper = rf"(?:[{groups}]\d{{2,3}}){{0,12}}" if by_two else rf"(?:[{groups}]\d{{3}}){{0,12}}"
        grouped = rf"\d{{1,3}}{upper}[{groups}]\d{{3}}(?!\d)"
        others = "|".join(
            rf"(?!0)\d{{1,3}}(?:{sign}\d{{3}}){{1,5}}(?!{sign}?\d)"
            for sign in GROUPS
            if sign not in groups
        )
        self.number = rf"(?:{grouped}|{others}|\d+)(?:[{points}]\d+)?"
        """Pattern of a number as this language writes it."""
        self.space = "" if self.language in UNSPACED else " "
        self.point = POINTS.get(self.language) or self._point_word()
        self.minus = (self.say(-1) or "").removesuffix(self.say(1) or "")
        """The sign of a negative number in words, with the space after it."""

    def read(self, written: str, *, counting: bool = False, feminine: bool = False) -> str | None:
        """Return the words of a number that the pattern `number` matched; None without words.

        counting: whether the counted noun follows. feminine: whether that noun is feminine,
        or of common gender in Swedish and Danish.
        """
        whole, _, fraction = self.split(written)
        if fraction:
            return self._decimal(whole, fraction)
        if len(whole) > LONGEST or (len(whole) > 1 and int(whole[0]) == 0):
            return self.digits(whole)
        number = int(whole)
        if feminine:
            form = "cardinal-common" if self.language == "da" else "cardinal-feminine"
        elif counting and self._has_counting_form(number):
            form = "cardinal-masculine"
        else:
            form = "numbering"
        return self.say(number, form) or self.say(number)

    def read_bare(self, written: str) -> str | None:
        """Return the words of a number without a noun, which may be a year."""
        return self.year(int(written)) if self.is_year(written) else self.read(written)

    def value(self, written: str) -> Decimal:
        """Return the value of a number that the pattern `number` matched."""
        return Decimal("".join(self.split(written)))

    def split(self, written: str) -> tuple[str, str, str]:
        """Return the digits before the point, the point, and the digits after it."""
        return written.translate(self._plain).partition(".")

    def say(self, number: int, form: str = "numbering") -> str | None:
        """Return a whole number in words by one of CLDR's rule sets, or None without that set."""
        if (number, form) not in self._said:
            self._said[number, form] = self._spell(number, f"spellout-{form}")
        return self._said[number, form]

    def year(self, number: int) -> str | None:
        """Return a year in words."""
        dated = self.language in YEARS or self.language == "ru"
        return self.say(number, "numbering-year" if dated else "numbering")

    def is_year(self, written: str) -> bool:
        """Whether these digits are spoken as a year anywhere."""
        latest = 2099 if self.language == "en" else 1999
        four = len(written) == 4 and written.isdecimal()
        return four and self.language in YEARS and 1100 <= int(written) <= latest

    def digits(self, written: str) -> str | None:
        """Return every digit in words."""
        words = [self.say(int(digit)) for digit in written if digit.isdecimal()]
        return None if None in words else self.space.join(map(str, words))

    def _decimal(self, whole: str, fraction: str) -> str | None:
        if not self.point or len(fraction) > LONGEST:
            return None
        before = self.read(whole)
        as_one = self.language in WHOLE_FRACTIONS and len(fraction) <= 2 and int(fraction[0]) > 0
        after = self.say(int(fraction)) if as_one else self.digits(fraction)
        return self.space.join((before, self.point, after)) if before and after else None

    def _has_counting_form(self, number: int) -> bool:
        if self.language not in COUNTING:
            return False
        return number == 1 or (COUNTING[self.language] == 0 and number % 10 == 1)

    def _spell(self, number: int | Decimal, ruleset: str) -> str | None:
        from unicode_rbnf.engine import RbnfError

        if ruleset not in self._engine.rulesets:
            return None
        try:
            parts = "".join(self._engine.iter_format_number(number, ruleset))
        except (RbnfError, ValueError, ArithmeticError, RecursionError):
            return None
        words = " ".join(parts.replace("\xad", "").replace("\u200b", "").split())
        return None if not words or any(map(str.isdigit, words)) else words

    def _point_word(self) -> str | None:
        """Return the word between 3 and 2 in the rules' words for 3.2."""
        three, two = self.say(3), self.say(2)
        for form in ("numbering", "cardinal", "cardinal-masculine", "cardinal-neuter"):
            said = self._spell(Decimal("3.2"), f"spellout-{form}") or ""
            if three and two and said.startswith(three) and said.endswith(two):
                word = said[len(three) : len(said) - len(two)].strip()
                if word.replace(" ", "").isalpha():
                    return word
        return None


@lru_cache(maxsize=64)
def numerals_of(language: str) -> Numerals | None:
    """Return the numerals of a BCP 47 tag, or None when its numbers stay as written."""
    from unicode_rbnf import RbnfEngine

    locale = locale_of(language)
    if locale is None or locale.language in CLASSIFIED:
        return None
    own = SAME.get(locale.language, locale.language)
    known = set(RbnfEngine.get_supported_languages())
    regional = [f"{own}_{part}" for part in (locale.script, locale.territory) if part]
    for name in (*regional, own):
        if name in known:
            return Numerals(locale, RbnfEngine.for_language(name))
    return None
