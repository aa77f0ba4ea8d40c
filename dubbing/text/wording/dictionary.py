"""A pronunciation dictionary: replacements of words that a job or its series names."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping

from dubbing.text.wording.rule import DENSE

WORD = re.compile(rf"[^\W{DENSE}]+|\S")
"""A word, a sign, or a single character of a script without spaces between words."""


class Dictionary:
    """Finds listed words in one pass over a line, however many are listed."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._exact = dict(entries)
        self._folded: dict[str, str] = {}
        self._starts: dict[str, set[str]] = defaultdict(set)
        for word in sorted(entries):
            self._folded.setdefault(word.casefold(), entries[word])
            if first := WORD.search(word):
                self._starts[first.group().casefold()].add(word.casefold())
        self._lengths = {
            start: sorted({len(word) for word in words}, reverse=True)
            for start, words in self._starts.items()
        }

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield the start, end and replacement of each listed word; the longest match counts.

        An entry in the written case goes before one that differs in case.
        """
        if not self._exact:
            return
        taken = 0
        for word in WORD.finditer(text):
            start = word.start()
            if start < taken:
                continue
            first = word.group().casefold()
            for length in self._lengths.get(first, ()):
                end = start + length
                written = text[start:end]
                candidate = written.casefold()
                if candidate in self._starts[first] and _is_whole(text, end):
                    yield start, end, self._exact.get(written, self._folded[candidate])
                    taken = end
                    break


def _is_whole(text: str, end: int) -> bool:
    """Whether a word ends at ``end``."""
    if end >= len(text):
        return True
    if unicodedata.category(text[end]).startswith("M"):
        return False
    inside = WORD.match(text, end - 1)
    return inside is None or inside.end() == end
