"""Replacements of words that an engine would say wrongly."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

MOST_PRONUNCIATIONS = 5000
LONGEST_WORD = 100
LONGEST_PRONUNCIATION = 200
"""Characters."""


def _listed_words(words: dict[str, str]) -> dict[str, str]:
    """Return a pronunciation dictionary; raises ValueError for a useless or oversized entry."""
    if len(words) > MOST_PRONUNCIATIONS:
        raise ValueError(f"{len(words)} words are more than {MOST_PRONUNCIATIONS}: take some out")
    for word, said in words.items():
        if not any(c.isprintable() and not c.isspace() for c in word):
            raise ValueError(f"{said!r} is said for {word!r}, which is blank: name a word")
        if len(word) > LONGEST_WORD:
            raise ValueError(f"{word[:40]!r}… has more than {LONGEST_WORD} characters: shorten it")
        if not any(map(str.isalnum, said)):
            raise ValueError(f"{said!r}, for {word!r}, holds nothing to speak: write words")
        if len(said) > LONGEST_PRONUNCIATION:
            raise ValueError(
                f"what is said for {word!r} has more than {LONGEST_PRONUNCIATION} characters: "
                "shorten it"
            )
    return words


Pronunciations = Annotated[dict[str, str], AfterValidator(_listed_words)]
"""Whole words with their replacements: ``{"NASA": "Nassa"}``."""
