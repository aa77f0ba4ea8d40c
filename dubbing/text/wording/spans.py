"""Parts of a line and the words that replace them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from dubbing.text.wording.rule import DENSE

LETTER = re.compile(rf"[^\W{DENSE}]")

Span = tuple[int, int, str]
"""Start, end, and the words spoken there."""


class Taken:
    """The parts of a line that are said already; none overlaps another."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _, _ in ordered]
        self._ends = [end for _, end, _ in ordered]

    def add(self, start: int, end: int) -> None:
        """Take a part that is clear of all others."""
        at = bisect_left(self._starts, start)
        self._starts.insert(at, start)
        self._ends.insert(at, end)

    def clear(self, start: int, end: int) -> bool:
        """Whether a part overlaps none of the others."""
        at = bisect_left(self._starts, end)
        return not at or self._ends[at - 1] <= start


def clear_of(spans: Iterable[Span], said: Iterable[Span]) -> Iterator[Span]:
    """Yield the ``spans`` that overlap none of the spans in ``said``."""
    taken = Taken(said)
    return (span for span in spans if taken.clear(span[0], span[1]))


def joined(text: str, spans: Iterable[Span]) -> str:
    """Return ``text`` with ``spans`` replaced; a space keeps adjacent words apart."""
    parts: list[str] = []
    last, at = "", 0
    for start, end, words in [*sorted(spans), (len(text), len(text), "")]:
        for part in (text[at:start], words):
            if part:
                parts.append(f" {part}" if _glued(last, part[0]) else part)
                last = part[-1]
        at = end
    return "".join(parts)


def _glued(left: str, right: str) -> bool:
    return bool(LETTER.match(left) and LETTER.match(right))
