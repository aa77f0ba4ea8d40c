"""The symbols of a model: letters or eSpeak's phonemes, each with a number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dubbing.errors import SpeechRejected


@dataclass(frozen=True, kw_only=True)
class Symbols:
    """The numbers of a model's symbols."""

    numbers: Mapping[str, int]
    blank: int | None = None
    """The number that stands before, between and after all others."""
    start: int | None = None
    end: int | None = None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Matches the longest symbol at each place."""
        longest_first = sorted(self.numbers, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)))

    def of(self, text: str) -> list[int]:
        """Return the numbers of the symbols in ``text``; characters without a symbol are left out.

        Raises SpeechRejected when no letter or digit is left.
        """
        symbols = self._pattern.findall(text)
        if not any(character.isalnum() for symbol in symbols for character in symbol):
            raise SpeechRejected(f"the model has no symbol for anything in {text!r}")
        numbers = [self.numbers[symbol] for symbol in symbols]
        if self.blank is not None:
            numbers = list(_interspersed(numbers, self.blank))
        ends = ([] if end is None else [end] for end in (self.start, self.end))
        before, after = ends
        return [*before, *numbers, *after]


def _interspersed(numbers: Iterable[int], blank: int) -> Iterable[int]:
    yield blank
    for number in numbers:
        yield number
        yield blank
