"""Times of day, in the languages that this module covers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from dubbing.text.wording.numerals import Numerals
from dubbing.text.wording.rule import ALONE, END, Rule, ends_line, rule

HOURS = r"(?P<hour>[01]?\d|2[0-4])"
MINUTES = r"(?P<minute>[0-5]\d)"
NAMED = {"de": r"\sUhr", "nl": r"\suur", "fr": "", "pt": "", "es": r"\shoras", "it": ""}
"""The word that may follow a time in writing and is spoken within it."""


def time_rules(numerals: Numerals) -> Iterator[Rule]:
    """Yield the rules for times of day."""
    language = numerals.language
    if language not in CLOCKS:
        return
    say = partial(_time, numerals, CLOCKS[language])
    over = rf"(?!\d)(?![:.,]\d){END}"
    if language == "en":
        half = r"\s?(?P<half>[aApP]\.?\s?[mM]\b\.?)"
        yield rule(rf"{ALONE}{HOURS}(?:[:.]{MINUTES})?{half}", say)
        yield rule(rf"{ALONE}{HOURS}:{MINUTES}(?P<half>){over}", say)
        return
    if language in {"fr", "pt"}:
        yield rule(rf"{ALONE}{HOURS}\s?h\s?{MINUTES}{over}", say)
    named = NAMED[language]
    if named:
        yield rule(rf"{ALONE}{HOURS}[:.]{MINUTES}{named}{END}", say)
        yield rule(rf"{ALONE}{HOURS}(?P<minute>){named}{END}", say)
    yield rule(rf"{ALONE}{HOURS}:{MINUTES}{over}", say)


def _time(
    numerals: Numerals,
    clock: Callable[[Numerals, int, int], str],
    match: re.Match[str],
) -> str | None:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if hour == 24 and minute:
        return None
    if numerals.language != "en":
        return clock(numerals, hour, minute)
    half = "".join(c for c in (match["half"] or "") if c.isalpha()).upper()
    if not half:
        return clock(numerals, hour, minute)
    # At the end of the line, the full stop of *p.m.* ends the sentence too.
    end = "." if match.group().endswith(".") and ends_line(match) else ""
    minutes = _english_minutes(numerals, minute)
    return f"{numerals.say(hour)}{minutes} {half}{end}"


def _english_minutes(numerals: Numerals, minute: int) -> str:
    if minute == 0:
        return ""
    return f" oh {numerals.say(minute)}" if minute < 10 else f" {numerals.say(minute)}"


def _english(numerals: Numerals, hour: int, minute: int) -> str:
    if minute == 0 and 1 <= hour <= 12:
        return f"{numerals.say(hour)} o'clock"
    return f"{numerals.say(hour)}{_english_minutes(numerals, minute) or ' hundred hours'}"


def _german(numerals: Numerals, hour: int, minute: int) -> str:
    minutes = f" {numerals.say(minute)}" if minute else ""
    return f"{numerals.say(hour, 'cardinal-masculine')} Uhr{minutes}"


def _dutch(numerals: Numerals, hour: int, minute: int) -> str:
    minutes = f" {numerals.say(minute)}" if minute else ""
    return f"{numerals.say(hour)} uur{minutes}"


def _french(numerals: Numerals, hour: int, minute: int) -> str:
    minutes = f" {numerals.say(minute)}" if minute else ""
    return f"{numerals.say(hour, 'cardinal-feminine')} heure{'s' if hour > 1 else ''}{minutes}"


def _spanish(numerals: Numerals, hour: int, minute: int) -> str:
    hours = numerals.say(hour, "cardinal-feminine")
    return f"{hours} {numerals.say(minute) if minute else 'horas'}"


def _italian(numerals: Numerals, hour: int, minute: int) -> str:
    hours = numerals.say(hour, "cardinal-feminine")
    return f"{hours} e {numerals.say(minute)}" if minute else f"{hours}"


def _portuguese(numerals: Numerals, hour: int, minute: int) -> str:
    hours = f"{numerals.say(hour, 'cardinal-feminine')} hora{'s' if hour > 1 else ''}"
    return f"{hours} e {numerals.say(minute)}" if minute else hours


CLOCKS: dict[str, Callable[[Numerals, int, int], str]] = {
    "en": _english, "de": _german, "nl": _dutch, "fr": _french, "es": _spanish, "it": _italian,
    "pt": _portuguese,
}  # fmt: skip
