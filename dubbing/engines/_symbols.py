"""Texts as models are given them, read without the library that trained them.

A model has a number for each of its symbols, which are letters, or phonemes as eSpeak writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dubbing.engines._espeak import phonemizer
from dubbing.errors import SpeechRejected

PUNCTUATION = re.compile(r"((?:\s*[;:,.!?¡¿—…\"«»“”]+\s*)+)")
"""What eSpeak makes pauses of and does not write; models know it as symbols."""

ESPEAK_NAMES = {"en": "en-us", "zh-cn": "cmn"}
"""What coqui-tts reads otherwise than eSpeak would, so that its models hear what they know."""

Reading = Callable[[str], str]
"""Makes of a text what its symbols are looked up in."""


@dataclass(frozen=True, kw_only=True)
class Symbols:
    """The symbols of a model."""

    numbers: Mapping[str, int]
    blank: int | None = None
    """Stands before, between and after all others."""
    start: int | None = None
    end: int | None = None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Finds the longest symbol at each place."""
        longest_first = sorted(self.numbers, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)))

    def of(self, text: str) -> list[int]:
        """Return the numbers of what is in ``text``; what is no symbol is left out.

        Raises SpeechRejected when no letter or digit is left.
        """
        found = self._pattern.findall(text)
        if not any(character.isalnum() for symbol in found for character in symbol):
            raise SpeechRejected(f"the model has no symbol for anything in {text!r}")
        numbers = [self.numbers[symbol] for symbol in found]
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


def phonemes(who: str, language: str) -> Reading:
    """Return what makes phonemes of a text and keeps its punctuation.

    who: the engine that needs them. language: as eSpeak names it. Raises EngineMissing when
    eSpeak is not there.
    """
    library = phonemizer(who)
    voice = ESPEAK_NAMES.get(language, language)

    def read(text: str) -> str:
        parts = PUNCTUATION.split(text.strip())
        # Every second part is punctuation.
        return "".join(
            part if number % 2 or not part else library.phonemes(part, voice)
            for number, part in enumerate(parts)
        )

    return read
