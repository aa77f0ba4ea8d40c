"""A rule of wording: what is found in a line, and what is said for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

DENSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Scripts in which no space ends a word, or a particle follows it: a word may stand beside them."""
START = rf"(?<![^\W{DENSE}])"
"""No letter or digit stands before."""
END = rf"(?![^\W{DENSE}])"
"""No letter or digit follows."""
ALONE = rf"{START}(?<!\d[.,:/'’])"
"""A number begins here, and no longer one goes on."""
OVER = rf"(?!\d){END}(?![.,:/'’]\d)"
"""A number ends here, and no longer one goes on."""

TILDES = "~〜～∼"
"""Between two numbers: a range. Before one: about so many."""


class Rule(NamedTuple):
    """What is said for what a pattern finds."""

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str | None]
    """The words; None leaves it to the rules that follow."""


def rule(pattern: str, say: Callable[[re.Match[str]], str | None]) -> Rule:
    """Return a rule; case counts."""
    return Rule(re.compile(pattern), say)


def one_of(words: Iterable[str]) -> str:
    """Return a pattern of any of ``words``, longest first; a space in them may be missing."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return "(?:" + "|".join(re.escape(word).replace(r"\ ", r"\s?") for word in ordered) + ")"


def without_spaces(table: Mapping[str, str]) -> dict[str, str]:
    """Return a table by its keys without their spaces, as `one_of` finds them in either way."""
    return {key.replace(" ", ""): value for key, value in table.items()}
