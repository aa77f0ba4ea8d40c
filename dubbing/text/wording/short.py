"""Abbreviations and signs, in the languages that `habits` lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubbing.text.wording import habits
from dubbing.text.wording.rule import TILDES, Rule, one_of, rule, without_spaces, word_before

AT_END = re.compile(r"[\"'»”’)\] ]*\Z")
NEXT_SENTENCE = re.compile(r"[\"'»”’)]?\s[^\W\da-z_]")
NAME = r"(?=\s[A-ZÀ-ÖØ-Þ])"
NAMED = re.compile(r"[A-ZÀ-ÖØ-Þ]|\d+(?:st|nd|rd|th)$")
NO_NAME = r"(?!\w|\s[A-ZÀ-ÖØ-Þ])"


def signs_of(language: str) -> str:
    """Return the signs that a language has words for."""
    return "".join(habits.SIGNS.get(language, {}))


def short_rules(language: str) -> Iterator[Rule]:
    """Yield the rules for abbreviations."""
    ending = {key.replace(" ", "") for key in habits.ENDING}
    for table, follows in (
        (habits.BEFORE_NUMBERS, r"(?=\s?\d)"),
        (habits.BEFORE_NAMES, NAME),
        (habits.AFTER_NAMES, NO_NAME),
        (habits.ABBREVIATIONS, r"(?!\w)"),
    ):
        if words := table.get(language):
            said = without_spaces(words)

            def expand(
                match: re.Match[str], said: dict[str, str] = said, follows: str = follows
            ) -> str | None:
                short = re.sub(r"\s", "", match.group())
                if follows is NAME and short[1:] == "." and _is_initial(match):
                    return None
                if follows is NO_NAME and not NAMED.match(word_before(match)):
                    return None
                return said[short] + _stop(match, short in ending)

            yield rule(rf"(?<![\w.])(?<!\w-){one_of(words)}{follows}", expand)
    # The programming language has this name in every language, musical keys in English.
    yield rule(r"(?<![\w.])[A-G]#(?!\w)", lambda match: f"{match.group()[0]} sharp")


def sign_rules(language: str) -> Iterator[Rule]:
    """Yield the rules for signs; each needs a digit, or one of `signs_of`."""
    if about := habits.ABOUT.get(language):
        yield rule(rf"(?<!\S)[{TILDES}≈]\s?(?=[$€£]?\d)", lambda _: f"{about} ")
    if signs := habits.SIGNS.get(language):
        yield rule(r"(?<!\S)#(?=\s?\d)", lambda match: f"{signs['#']} ")
        yield rule(
            r"(?<=\w)\s?[&@]\s?(?=\w)|\s&\s", lambda match: f" {signs[match.group().strip()]} "
        )
        yield rule(
            r"(?<=[\w)])\s?[+=×]\s?(?=[\w(])", lambda match: f" {signs[match.group().strip()]} "
        )


def _is_initial(match: re.Match[str]) -> bool:
    """Whether a single letter is part of a name, after another part of it."""
    before = word_before(match)
    return before[:1].isupper() and before[-1:].isalpha()


def _stop(match: re.Match[str], may_end: bool) -> str:
    """Return a full stop if the one of an abbreviation also ended the sentence."""
    if not match.group().endswith("."):
        return ""
    text, at = match.string, match.end()
    ends = AT_END.match(text, at) or (may_end and NEXT_SENTENCE.match(text, at))
    return "." if ends and not text.startswith((".", "?", "!", "…"), at) else ""
