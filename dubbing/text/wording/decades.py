"""Decades: ``the 1990s``, ``die 90er``, ``в 1990-х``, ``lata 90.``"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from dubbing.text.wording.numerals import Numerals
from dubbing.text.wording.rule import ALONE, END, START, Rule, one_of, rule

CARDINAL = {
    "fr": ("les", "années"), "es": ("los", "años"), "pt": ("os", "nos", "dos", "anos"),
    "it": ("gli", "anni"), "nl": ("de", "jaren"), "ca": ("els", "anys"), "ro": ("anii",),
}  # fmt: skip
"""Languages that speak a decade as its number, and the words before two-digit decades."""
RUSSIAN = {
    **dict.fromkeys(("е", "ые"), "ordinal-plural"),
    **dict.fromkeys(("х", "ых"), "ordinal-plural-genitive"),
    **dict.fromkeys(("ми", "ыми"), "ordinal-plural-ablative"),
}
"""CLDR's rule set by the ending after the digits."""
STEMS: dict[str, dict[int, str]] = {
    "uk": {
        10: "десят", 20: "двадцят", 30: "тридцят", 40: "сороков", 50: "пʼятдесят",
        60: "шістдесят", 70: "сімдесят", 80: "вісімдесят", 90: "девʼяност",
    },
    "pl": {
        10: "dziesiąt", 20: "dwudziest", 30: "trzydziest", 40: "czterdziest", 50: "pięćdziesiąt",
        60: "sześćdziesiąt", 70: "siedemdziesiąt", 80: "osiemdziesiąt", 90: "dziewięćdziesiąt",
    },
}  # fmt: skip
"""Ordinals of tens without their endings, where CLDR has no ordinals."""
UKRAINIAN = {
    **dict.fromkeys(("ті", "і"), "і"),
    **dict.fromkeys(("х", "их", "тих"), "их"),
    **dict.fromkeys(("ми", "ими", "тими"), "ими"),
    **dict.fromkeys(("м", "им", "тим"), "им"),
}
"""The spoken ending by the ending after the digits."""
POLISH = {"lata": "e", "lat": "ych", "latach": "ych", "latom": "ym", "latami": "ymi"}
"""The spoken ending after each case of *years*."""
DIGITS = r"(?P<number>\d0|1[1-9]\d0|20\d0)"


def decade_rules(numerals: Numerals) -> Iterator[Rule]:
    """Yield the rules for the decades of a language."""
    language = numerals.language
    if language == "en":
        yield rule(
            rf"{START}['’]?(?P<number>\d{{2}}|\d{{3}}0)['’]?s{END}", partial(_english, numerals)
        )
    elif language == "de":
        yield rule(
            rf"{ALONE}(?P<number>\d{{2}}|\d{{4}})(?P<ending>er[nns]?){END}",
            partial(_german, numerals),
        )
    elif language == "ru":
        yield rule(
            rf"{ALONE}{DIGITS}-(?P<ending>{one_of(RUSSIAN)}){END}(?=\s?(?P<noun>[^\W\d]*))",
            partial(_russian, numerals),
        )
    elif language == "uk":
        yield rule(
            rf"{ALONE}{DIGITS}-(?P<ending>{one_of(UKRAINIAN)}){END}", partial(_ukrainian, numerals)
        )
    elif language == "pl":
        # The full stop marks an ordinal, unless a sentence ends there.
        ending = r"(?:\.(?=\s+[a-ząćęłńóśźż]|[,;:?!)])|-?(?:te|tych|tym|tymi)|(?=\.\s))"
        after = one_of([*POLISH, *map(str.capitalize, POLISH)])
        yield rule(
            rf"{START}(?P<years>{after})\s{DIGITS}(?:{ending}{END}|(?=\.?\W*$))",
            partial(_polish, numerals),
        )
    elif language in CARDINAL:
        after = "|".join(rf"(?<=\b{word}\s)" for word in CARDINAL[language])
        yield rule(
            rf"(?:{ALONE}(?P<year>1[1-9]\d0|20\d0)['’]?s|(?:{after})['’]?(?P<tens>\d0)(?:['’]?s)?)"
            rf"{END}(?![.,:/'’-]\d)",
            lambda match: numerals.year(int(match["year"] or match["tens"])),
        )


def _english(say: Numerals, match: re.Match[str]) -> str | None:
    written = match["number"]
    number = int(written)
    if number % 10 or (number == 0 and len(written) == 2):
        return None
    said = say.year(number) if len(written) == 4 else say.say(number)
    return said and (f"{said[:-1]}ies" if said.endswith("y") else f"{said}s")


def _german(say: Numerals, match: re.Match[str]) -> str | None:
    if int(match["number"]) % 10:
        return None
    said = say.year(int(match["number"]))
    return said and said + match["ending"]


def _russian(say: Numerals, match: re.Match[str]) -> str | None:
    """Return tens in the plural, in words; before a month or neuter noun they are no decade."""
    number, form = int(match["number"]), RUSSIAN[match["ending"]]
    noun = match["noun"]
    counted = noun.endswith(("о", "е")) or noun in say.locale.months["format"]["wide"].values()
    if number in {0, 10} or (number < 100 and counted):
        return None
    said = say.say(number, form)
    # CLDR leaves the ordinals of whole hundreds in their cardinal form.
    return None if said == say.say(number) else said


def _ukrainian(say: Numerals, match: re.Match[str]) -> str | None:
    return _by_stem(say, int(match["number"]), UKRAINIAN[match["ending"]])


def _polish(say: Numerals, match: re.Match[str]) -> str | None:
    said = _by_stem(say, int(match["number"]), POLISH[match["years"].lower()])
    return said and f"{match['years']} {said}"


def _by_stem(say: Numerals, number: int, ending: str) -> str | None:
    stem = STEMS[say.language].get(number % 100)
    if stem is None:
        return None
    hundreds = say.say(number - number % 100) if number > 100 else ""
    return f"{hundreds} {stem}{ending}".strip()
