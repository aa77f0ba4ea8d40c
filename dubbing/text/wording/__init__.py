"""The wording of written text: numbers, dates, amounts, abbreviations and signs in words.

Signs without words (``*``, ``#``, ``~``, emoji) are left out in every language. Numbers and the
names of units, currencies and months come from the Unicode CLDR. Forms that a language's tables do
not cover stay as written; no other language stands in. The grammars of the extra ``text``, where
installed, read Chinese and Japanese.

Tables are loaded with a language's first line, never by an import.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain

from dubbing.text.characters import normalise
from dubbing.text.wording.amounts import amount_rules
from dubbing.text.wording.clock import time_rules
from dubbing.text.wording.dates import date_rules
from dubbing.text.wording.decades import decade_rules
from dubbing.text.wording.dictionary import Dictionary
from dubbing.text.wording.figures import figure_rules
from dubbing.text.wording.numerals import locale_of, numerals_of
from dubbing.text.wording.ratios import ratio_rules
from dubbing.text.wording.romans import roman_rules
from dubbing.text.wording.rule import START, TILDES, Rule
from dubbing.text.wording.short import short_rules, sign_rules, signs_of
from dubbing.text.wording.signs import plain, unspoken, without_signs
from dubbing.text.wording.spans import Span, Taken, clear_of, joined
from dubbing.text.wording.telephone import telephone_rules

WITHIN = "[^，。！？；]"
LETTER = r"[^\W\d_a-zA-Z]"
CLAUSE = re.compile(
    rf"{WITHIN}{{1,200}}(?:(?!{WITHIN})|(?<={LETTER})(?={LETTER}))|{WITHIN}{{1,200}}"
)
"""The unit in which Chinese and Japanese are read; no number continues across the signs that end
it. A longer clause would take more time for each character, so it is cut: between two letters if it
can be, as numbers and their units hold no such place."""
ONE_TILDE = str.maketrans(dict.fromkeys(TILDES, "~"))
"""The grammars know only one of the tildes."""
NOTHING: Mapping[str, str] = {}


class Wording:
    """The wording of a job's lines. Each text is put into words once, and remembered."""

    def __init__(self, language: str, pronunciations: Mapping[str, str] = NOTHING) -> None:
        """Read the dictionary once for all lines.

        language: BCP 47 tag. pronunciations: replacements of whole words; they are spoken as they
        are, without further wording.
        """
        self._language = language
        self._dictionary = Dictionary(pronunciations)
        self._spoken: dict[str, str] = {}

    def spoken(self, text: str) -> str:
        """Return the spoken form of ``text``, normalised; the same text always gives the same."""
        if text not in self._spoken:
            self._spoken[text] = self._worded(normalise(text))
        return self._spoken[text]

    def effort(self, text: str) -> int:
        """Return the characters of ``text`` that take long to read, a tenth of a millisecond each.

        These are the clauses with figures in Chinese and Japanese.
        """
        return _reader(self._language).effort(text)

    def _worded(self, text: str) -> str:
        """Return the spoken form of normalised text."""
        said = list(self._dictionary.find(text))
        written = plain(text)
        said += _reader(self._language).find(written, said)
        said += clear_of(list(unspoken(written)), said)
        if not said and written == text:
            return text
        # Names from CLDR may hold signs without a sound, as some words in other scripts do.
        return normalise(joined(written, said))


def spoken(text: str, language: str, pronunciations: Mapping[str, str] = NOTHING) -> str:
    """Return the spoken form of one line; for many lines, make one `Wording`."""
    return Wording(language, pronunciations).spoken(text)


class _Reader:
    """Reads by rules; the first rule that can say a part of the line does so."""

    def __init__(self, groups: Sequence[tuple[str, Sequence[Rule]]] = ()) -> None:
        """Take groups of rules, each after a pattern of what a text needs for any of them."""
        self._groups = [(re.compile(needed), rules) for needed, rules in groups]

    def effort(self, text: str) -> int:
        """Return 0: rules are quick."""
        return 0

    def find(self, text: str, listed: Sequence[Span]) -> list[Span]:
        """Return the parts that rules say, outside of the ``listed`` ones."""
        found: list[Span] = []
        taken = Taken(listed)
        rules = (rules for needed, rules in self._groups if needed.search(text))
        for pattern, say in chain.from_iterable(rules):
            for match in pattern.finditer(text):
                start, end = match.span()
                # Digits that carry an accent or a joiner are not a number.
                if unicodedata.category(text[end : end + 1] or " ").startswith(("M", "Cf")):
                    continue
                if taken.clear(start, end) and (words := say(match)):
                    found.append((start, end, words))
                    taken.add(start, end)
        return found


class _Grammar:
    """Reads Chinese or Japanese, where the words of a number depend on the things counted."""

    def __init__(self, language: str) -> None:
        from wetext import Normalizer

        self._normalizer = Normalizer(lang=language, operator="tn")

    def effort(self, text: str) -> int:
        """Return the characters of the clauses that are read."""
        return sum(len(clause) for clause in CLAUSE.findall(text) if _has_digit(clause))

    def find(self, text: str, listed: Sequence[Span]) -> list[Span]:
        """Return the text between the ``listed`` parts in words."""
        found: list[Span] = []
        at = 0
        for start, end, _ in [*sorted(listed), (len(text), len(text), "")]:
            for clause in CLAUSE.finditer(text, at, start):
                if _has_digit(clause.group()):
                    words = str(self._normalizer.normalize(clause.group().translate(ONE_TILDE)))
                    found.append((*clause.span(), without_signs(words)))
            at = end
        return found


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))


@lru_cache(maxsize=64)
def _reader(language: str) -> _Reader | _Grammar:
    locale = locale_of(language)
    if locale is not None and locale.language in {"zh", "ja"}:
        try:
            return _Grammar(locale.language)
        except ImportError:
            return _Reader()
    plain = language.split("-", maxsplit=1)[0].lower()
    figures = rf"[\d½¼¾⅓⅔{re.escape(signs_of(plain))}]"
    # Most lines hold no figure, and to try each rule on each of them takes long.
    groups: list[tuple[str, Sequence[Rule]]] = []
    if (numerals := numerals_of(language)) is not None:
        counting = (
            *(decade_rules, date_rules, time_rules, amount_rules, telephone_rules),
            *(ratio_rules, figure_rules),
        )
        groups = [
            (rf"{START}(?:WW[\dI]|[IVXLC])", list(roman_rules(numerals))),
            (figures, [one for rules_of in counting for one in rules_of(numerals)]),
        ]
    return _Reader([*groups, ("", list(short_rules(plain))), (figures, list(sign_rules(plain)))])
