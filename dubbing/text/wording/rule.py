"""A rule of wording: a pattern, and the words for its matches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

DENSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Scripts without spaces between words, or with particles attached; a word may touch them."""
START = rf"(?<![^\W{DENSE}])"
"""No letter or digit precedes."""
END = rf"(?![^\W{DENSE}])"
"""No letter or digit follows."""
ALONE = rf"{START}(?<!\d[.,:/'’])"
"""A number begins here; it is not the rest of a longer one."""
OVER = rf"(?!\d){END}(?![.,:/'’]\d)"
"""A number ends here; no longer one goes on."""

TILDES = "~〜～∼"
"""Between two numbers they mean a range, before one number *about*."""

NEAR = 100
"""Characters before a match that decide its meaning. To look at the whole line for each match would
take the square of its length."""
LINE_END = re.compile(r"\s*\Z")


class Rule(NamedTuple):
    """A pattern and the words for its matches."""

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str | None]
    """Returns the words; None leaves the match to later rules."""


def rule(pattern: str, say: Callable[[re.Match[str]], str | None]) -> Rule:
    """Return a rule; its pattern is case-sensitive."""
    return Rule(re.compile(pattern), say)


def one_of(words: Iterable[str]) -> str:
    """Return a pattern of any of ``words``, longest first; spaces inside them are optional."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return "(?:" + "|".join(re.escape(word).replace(r"\ ", r"\s?") for word in ordered) + ")"


def without_spaces(table: Mapping[str, str]) -> dict[str, str]:
    """Return ``table`` with the spaces removed from its keys; `one_of` matches them optionally."""
    return {key.replace(" ", ""): value for key, value in table.items()}


def text_before(match: re.Match[str]) -> str:
    """Return the text right before a match."""
    return match.string[max(0, match.start() - NEAR) : match.start()]


def word_before(match: re.Match[str]) -> str:
    """Return the word before a match; ``""`` if it begins the line."""
    return (text_before(match).split() or [""])[-1]


def ends_line(match: re.Match[str]) -> bool:
    """Whether nothing follows a match."""
    return LINE_END.match(match.string, match.end()) is not None
