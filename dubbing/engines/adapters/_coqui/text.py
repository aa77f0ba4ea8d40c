"""Text as input of coqui-tts's models: the numbers of letters or phonemes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dubbing.engines.adapters._espeak import phonemes, phonemizer
from dubbing.errors import SpeechRejected

if TYPE_CHECKING:
    from collections.abc import Iterable


def provide_phonemes(who: str, languages: Iterable[str]) -> None:
    """Make coqui-tts take phonemes from eSpeak's library, even if eSpeak's program is installed.

    With the program, coqui-tts loses the text after punctuation at the beginning of a line.
    who: name of the engine. Raises EngineMissing without the library.
    """
    from TTS.tts.utils.text import phonemizers

    phonemizer(who)
    # The first request makes coqui-tts fill the tables that are extended here.
    phonemizers.get_default_phonemizer("be")
    phonemizers.PHONEMIZERS["espeak"] = _phonemizer_class()
    for language in languages:
        phonemizers.DEF_LANG_TO_PHONEMIZER.setdefault(language, "espeak")


@cache
def _phonemizer_class() -> type:
    from TTS.tts.utils.text.phonemizers.base import BasePhonemizer

    class LibraryPhonemizer(BasePhonemizer):  # type: ignore[misc]  # coqui-tts has no types
        """Phonemes by eSpeak's library, with punctuation."""

        def __init__(self, language: str) -> None:
            self._reading = phonemes("coqui", language)
            super().__init__(language)

        @staticmethod
        def name() -> str:
            return "espeak"

        @classmethod
        def is_available(cls) -> bool:
            return True

        def version(self) -> str:
            return phonemizer("coqui").digest

        @staticmethod
        def supported_languages() -> dict[str, str]:
            return {}

        def is_supported_language(self, language: str) -> bool:
            """Return True: the library refuses a language that it does not know."""
            return True

        def phonemize(self, text: str, separator: str = "", language: str | None = None) -> str:
            """Return the phonemes of a text, in the language of this phonemizer."""
            return self._reading(text)

        def _phonemize(self, text: str, separator: str) -> str:
            return self._reading(text)

    return LibraryPhonemizer


def tokens(tokenizer: Any, text: str, language: str) -> list[int]:
    """Return the numbers of a text's symbols, from a tokenizer of coqui-tts.

    language: the model's own name of it. Unknown symbols are left out. Raises SpeechRejected when
    none is left.
    """
    numbers: list[int] = tokenizer.text_to_ids(text, language)
    characters = tokenizer.characters
    marks = (characters.pad, characters.blank, characters.bos, characters.eos, " ")
    silent = {*marks, *getattr(characters, "punctuations", "")}
    if all(characters.id_to_char(number) in silent for number in numbers):
        raise SpeechRejected(f"the model has no symbol for anything in {text!r}")
    return numbers
