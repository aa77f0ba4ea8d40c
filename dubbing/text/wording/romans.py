"""Roman numerals: after names of rulers, wars and parts of a work, and before centuries.

Letters that may be a word or a name of their own (*I*, *MIX*, *DC*, *Mr. X*) stay as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubbing.text.wording import reigns
from dubbing.text.wording.dates import GERMAN_CASES
from dubbing.text.wording.numerals import Numerals
from dubbing.text.wording.rule import END, START, Rule, one_of, rule, text_before, word_before

SHAPE = re.compile(r"(?:X[CL]|L?X{0,3}|C{1,3}(?:X[CL]|L?X{0,3}))(?:I[XV]|V?I{0,3})")
VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
ROMAN = r"(?P<roman>[IVXLC]{2,9}|[IVX])"
SEVERAL = r"(?P<roman>[IVX]{2,6})"
NAME = r"[A-ZÀ-ÖØ-ÞŒŠŚŻŽČĆŁĐ][\w'’.-]{0,30}[^\W\d_]"
"""A word with a capital letter and at least one more."""
UNCERTAIN = frozenset({"XX", "XXX"})
"""Not taken as numerals after names that are not listed."""
ENGLISH_I = r"(?=['’]s|\sof\s(?:the\s)?[A-Z]|[.;:?!)](?!\.)|$)"
"""Text after *I* as a ruler's numeral; elsewhere *I* is the pronoun."""
TITLED_I = rf"(?:{ENGLISH_I}|(?=,|\s(?:and|\w*[^\We]ed|\w*[^\Ws]s)\b))"
"""The same after a title or a part of a work."""
GOES_ON = re.compile(r"\s[a-zäöüß\d]|[,;:?!)–-]")
INITIAL = r"(?!\.\s[A-ZÀ-Þ])"
"""No full stop and capital follow: they would make the letter an initial."""
FIRST_TEN = frozenset({"es", "pt", "ca"})
"""Languages that use ordinals for rulers and centuries up to the tenth."""
ORDINAL = {"en": "", "nl": "", "da": "-common", "no": "-masculine"}
"""Suffix of CLDR's rule set after a name, where it does not follow the gender."""
ARTICLE = {"en": "the ", "nl": "de ", "sv": "den ", "da": "den ", "no": "den "}
DATIVE = frozenset({"von", "vom", "mit", "unter", "bei", "zu", "nach", "aus", "seit", "dem"})
ACCUSATIVE = frozenset({"durch", "für", "gegen", "ohne", "um", "den"})
RUSSIAN_CASES: dict[str, tuple[dict[str, str], str]] = {
    "masculine": (
        {"": "", "а": "-genitive", "я": "-genitive", "у": "-dative", "ю": "-dative",
         "ом": "-ablative", "ем": "-ablative", "е": "-locative", "и": "-locative"},
        reigns.RUSSIAN_MEN,
    ),
    "feminine": (
        {"а": "", "я": "", "ы": "-genitive", "и": "-genitive", "е": "-dative",
         "у": "-accusative", "ю": "-accusative", "ой": "-ablative", "ей": "-ablative"},
        reigns.RUSSIAN_WOMEN,
    ),
}  # fmt: skip
"""By gender: CLDR's case for each ending, and the names without endings."""


def value_of(written: str) -> int | None:
    """Return the value of a Roman numeral, or None when ``written`` is none."""
    if not written or not SHAPE.fullmatch(written):
        return None
    values = [VALUES[letter] for letter in written]
    return sum(
        -value if value < after else value
        for value, after in zip(values, [*values[1:], 0], strict=True)
    )


def roman_rules(numerals: Numerals) -> Iterator[Rule]:
    """Yield the rules for Roman numerals, the most certain first."""
    romans = _Romans(numerals)
    language = numerals.language
    if marks := reigns.BEHIND.get(language):
        yield rule(rf"{START}(?P<roman>[IVX]{{1,6}})(?P<mark>{one_of(marks)}){END}", romans.marked)
    if nouns := reigns.BEFORE.get(language):
        yield rule(rf"{START}{ROMAN}(?=\s(?P<noun>{one_of(nouns)}){END})", romans.before)
    if language == "de":
        yield rule(
            rf"{START}(?:[IVX]{{2,6}}|I(?=\.\sWeltkrieg))\.(?=\s[A-ZÄÖÜ][a-zäöü])", romans.german
        )
    if language in {"tr", "hu"}:
        yield rule(rf"{START}{SEVERAL}\.(?=\s[^\W\d_])", romans.turkish)
    if language == "ru":
        for gender in RUSSIAN_CASES:
            yield romans.russian_rule(gender)
    if language == "en":
        yield rule(rf"{START}WW(?P<roman>I{{1,3}}|[123]){END}", romans.war)
    if parts := _words(reigns.PARTS.get(language, "")):
        first = rf"(?!I{END})|(?<=War\s)|(?=I{TITLED_I})" if language == "en" else ""
        yield rule(rf"{START}(?P<head>{one_of(parts)}\s)(?:{first}){ROMAN}{END}", romans.part)
    if language in reigns.NAMES:
        centuries = _words(reigns.CENTURIES.get(language, ""))
        if centuries:
            yield rule(rf"{START}(?P<head>{one_of(centuries)}\s){ROMAN}{END}", romans.century)
        titles = one_of(_words(" ".join(reigns.TITLES[language])))
        yield rule(
            rf"{START}(?P<head>(?:(?P<title>{titles})\s)?(?P<names>(?:{NAME}\s){{1,4}}))"
            rf"(?P<the>the\s)?{ROMAN}{END}(?P<dot>\.)?",
            romans.named,
        )


def _words(table: str) -> list[str]:
    """Return the words of a table's entry, each with and without a capital letter."""
    words = [word.replace("_", " ") for word in table.split()]
    small = (word[:1].lower() + word[1:] for word in words)
    return list(dict.fromkeys([*words, *small, *map(_capitalised, words)]))


class _Romans:
    def __init__(self, numerals: Numerals) -> None:
        self._say = numerals
        self._language = numerals.language
        titles = reigns.TITLES.get(self._language, ("", ""))
        names = reigns.NAMES.get(self._language, ("", ""))
        self._titles = frozenset(" ".join(titles).lower().split())
        self._men, self._women = (
            frozenset(f"{title} {name}".lower().split())
            for title, name in zip(titles, names, strict=True)
        )

    def marked(self, match: re.Match[str]) -> str | None:
        """Return ``XXe`` and ``XXth`` in words."""
        value = value_of(match["roman"])
        form = reigns.BEHIND[self._language][match["mark"]]
        return self._say.say(value, form) if value else None

    def before(self, match: re.Match[str]) -> str | None:
        """Return an ordinal before its noun in words."""
        if match["roman"] == "I" and self._language == "en":
            return None
        value = value_of(match["roman"])
        form = reigns.BEFORE[self._language][match["noun"]]
        return self._say.say(value, form) if value else None

    def german(self, match: re.Match[str]) -> str | None:
        """Return the ordinal of ``im XX. Jahrhundert``, not a ruler's ordinal after a name."""
        before = word_before(match)
        value = value_of(match.group().rstrip("."))
        named = before[:1].isupper() and before[-1].isalnum() and before.lower() not in GERMAN_CASES
        if value is None or named:
            return None
        return self._say.say(value, f"ordinal{GERMAN_CASES.get(before.lower(), '-r')}")

    def turkish(self, match: re.Match[str]) -> str | None:
        """Return an ordinal with a full stop, as in ``II. Mehmed`` and ``XIV. Lajos``, in words."""
        value = value_of(match["roman"])
        return self._say.say(value, "ordinal") if value else None

    def russian_rule(self, gender: str) -> Rule:
        endings, stems = RUSSIAN_CASES[gender]
        cases = "|".join(sorted(endings, key=len, reverse=True))

        def say(match: re.Match[str]) -> str | None:
            value = value_of(match["roman"])
            said = value and self._say.say(value, f"ordinal-{gender}{endings[match['ending']]}")
            return f"{match['stem']}{match['ending']} {_capitalised(said)}" if said else None

        return rule(
            rf"{START}(?P<stem>{one_of(stems.split())})(?P<ending>{cases})\s{ROMAN}{END}{INITIAL}",
            say,
        )

    def war(self, match: re.Match[str]) -> str | None:
        value = value_of(match["roman"]) or int(match["roman"])
        return f"World War {_capitalised(self._say.say(value))}"

    def part(self, match: re.Match[str]) -> str | None:
        if self._language == "en" and len(match["roman"]) == 1 and match["head"].islower():
            return None  # *the part I liked*, *mark X*
        value = value_of(match["roman"])
        said = self._say.say(value) if value else None
        return match["head"] + self._cased(said) if said else None

    def century(self, match: re.Match[str]) -> str | None:
        value = value_of(match["roman"])
        said = self._reign(value, "masculine") if value else None
        return match["head"] + said if said else None

    def named(self, match: re.Match[str]) -> str | None:
        """Return the numeral after a name: a ruler's as an ordinal, a film's as a number."""
        value = value_of(match["roman"])
        if value is None:
            return None
        words = f"{match['title'] or ''} {match['names']}".lower().split()
        gender = self._gender(words)
        dot = match["dot"] or ""
        if match["the"] and (gender is None or self._language != "en"):
            return None
        if gender is None:
            said = self._numbered(match, value)
        elif len(match["roman"]) == 1 and not self._is_single(match, words):
            return None
        elif self._language == "de":
            said = self._german(words, match, value, gender)
            # A full stop marks an ordinal, unless a sentence ends there.
            dot = "" if GOES_ON.match(match.string, match.end()) else dot
        else:
            said = self._reign(value, gender)
        return said and f"{match['head']}{said}{dot}"

    def _gender(self, words: list[str]) -> str | None:
        """Return the gender of the ruler with this name or title; None for an unlisted name."""
        names = words if self._language == "en" else words[-1:]
        listed = [part for name in names[-3:] for part in (name, *name.split("-"))]
        if self._language == "de":
            listed += [name.removesuffix("s") for name in listed]
        titles = [word for word in words[:-1] if word in self._titles]
        for word in (*titles, *listed):
            if word in self._women:
                return "feminine"
        return "masculine" if titles or any(word in self._men for word in listed) else None

    def _is_single(self, match: re.Match[str], words: list[str]) -> bool:
        """Whether a single letter is a numeral, not an initial or another word."""
        if match["dot"] and re.compile(r"\s[^\W\da-z_]").match(match.string, match.end()):
            return False
        if match["roman"] != "I":
            return True
        if self._language in {"sv", "da", "no"}:
            return not re.compile(r"\s\w").match(match.string, match.end())
        titled = not self._titles.isdisjoint(words)
        follows = re.compile(TITLED_I if titled else ENGLISH_I)
        followed = follows.match(match.string, match.end("roman"))
        return self._language != "en" or followed is not None

    def _reign(self, value: int, gender: str) -> str | None:
        """Return the spoken numeral after a ruler's name."""
        language = self._language
        by_ordinal = value <= 10 if language in FIRST_TEN else language != "fr" or value == 1
        if not by_ordinal:
            return self._say.say(value)
        said = self._say.say(value, f"ordinal{ORDINAL.get(language, f'-{gender}')}")
        return said and ARTICLE.get(language, "") + self._cased(said)

    def _german(
        self, words: list[str], match: re.Match[str], value: int, gender: str
    ) -> str | None:
        """Return article and ordinal, in the case of the word before or of the name's ending."""
        before = word_before(match).lower()
        woman = gender == "feminine"
        if before in DATIVE:
            article, ending = ("der" if woman else "dem"), "-n"
        elif before in ACCUSATIVE:
            article, ending = ("die", "") if woman else ("den", "-n")
        elif words[-1].endswith("s") and words[-1] not in self._men:
            article, ending = ("der" if woman else "des"), "-n"
        else:
            article, ending = ("die" if woman else "der"), ""
        said = self._say.say(value, f"ordinal{ending}")
        return said and f"{article} {_capitalised(said)}"

    def _numbered(self, match: re.Match[str], value: int) -> str | None:
        """Return the number of a sequel or a model in words; None when it is ambiguous."""
        roman, words = match["roman"], match["names"].split()
        if roman in UNCERTAIN or not re.fullmatch("[IVX]{2,}", roman) or words[-1].isupper():
            return None
        before = text_before(match).rstrip()
        begins = not before or before[-1] in '.?!…:"“'
        if roman == "IV" and begins and len(words) == 1:
            return None  # *The IV is in.*
        ordinal = match["dot"] and GOES_ON.match(match.string, match.end())
        if self._language == "de" and ordinal:
            return None
        return self._cased(self._say.say(value) or "")

    def _cased(self, said: str) -> str:
        """Return words as written in a name: English and German capitalise them."""
        return _capitalised(said) if self._language in {"en", "de"} else said


def _capitalised(said: str | None) -> str:
    return (said or "")[:1].upper() + (said or "")[1:]
