"""Parts of a line and the words that replace them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dubbing.text.wording.rule import DENSE

LETTER = re.compile(rf"[^\W{DENSE}]")

Span = tuple[int, int, str]
"""Start, end, and the words spoken there."""


def clear_of(spans: Iterable[Span], said: Sequence[Span]) -> Iterator[Span]:
    """Yield the ``spans`` that overlap none of the spans in ``said``."""
    for start, end, words in spans:
        if not any(start < to and from_ < end for from_, to, _ in said):
            yield start, end, words


def joined(text: str, spans: Iterable[Span]) -> str:
    """Return ``text`` with ``spans`` replaced; a space keeps adjacent words apart."""
    result, at = "", 0
    for start, end, words in sorted(spans):
        if start > at:
            result = _beside(result, text[at:start])
        result = _beside(result, words)
        at = end
    return _beside(result, text[at:])


def _beside(left: str, right: str) -> str:
    return f"{left} {right}" if _glued(left[-1:], right[:1]) else left + right


def _glued(left: str, right: str) -> bool:
    return bool(LETTER.match(left) and LETTER.match(right))
