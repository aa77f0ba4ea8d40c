"""The symbols of a coqui-tts model, read from its configuration without coqui-tts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from dubbing.documents import Model, nearest, validated
from dubbing.engines.adapters._coqui.config import CONFIG
from dubbing.engines.adapters._espeak import Reading, phonemes
from dubbing.engines.adapters._onnx.symbols import Symbols
from dubbing.errors import BadInput

AMPERSANDS = {"en": " and ", "fr": " et ", "it": " e ", "pt": " e ", "ca": " i "}
BRACKETS = re.compile(r'[<>()\[\]"]+')

Cleaner = Callable[[str, str], str]
"""Cleans a text, given its language without a region."""


class _Part(Model):
    """A part of a configuration; fields that are not listed are ignored."""

    model_config = ConfigDict(extra="ignore")


class _Characters(_Part):
    """The symbols, with the defaults of coqui-tts."""

    characters_class: str | None = None
    pad: str | None = "<PAD>"
    eos: str | None = None
    bos: str | None = None
    blank: str | None = None
    characters: str | None = None
    punctuations: str | None = None
    phonemes: str | None = None
    is_unique: bool = True
    is_sorted: bool = True


class _Text(_Part):
    """How a text is read."""

    characters: _Characters
    use_phonemes: bool = False
    phonemizer: str | None = None
    phoneme_language: str | None = None
    text_cleaner: str | None = None
    add_blank: bool = True
    enable_eos_bos_chars: bool = False


def read_symbols(config: Mapping[str, Any], folder: Path) -> Symbols:
    """Return the symbols of a VITS model; raises BadInput when its configuration lacks some."""
    where = folder / CONFIG
    text = validated(_Text, config, where)
    listed = _listed(text, str(where))
    numbers = {symbol: number for number, symbol in enumerate(listed)}

    def special(name: str) -> int:
        symbol = (
            BLANK if name == "blank" and _kind(text) == VITS else getattr(text.characters, name)
        )
        if symbol not in numbers:
            raise BadInput(f"characters.{name} is missing, and the model uses it", where=str(where))
        return numbers[symbol]

    ends = text.enable_eos_bos_chars
    return Symbols(
        # Texts are looked up letter by letter, so longer symbols are not used.
        numbers={symbol: number for symbol, number in numbers.items() if len(symbol) == 1},
        blank=special("blank") if text.add_blank else None,
        start=special("bos") if ends else None,
        end=special("eos") if ends else None,
    )


VITS = "VitsCharacters"
BLANK = "<BLNK>"
CLASSES = ("Graphemes", "IPAPhonemes", VITS)


def _kind(text: _Text) -> str:
    named = text.characters.characters_class or (
        "IPAPhonemes" if text.use_phonemes else "Graphemes"
    )
    return named.rpartition(".")[2]


def _listed(text: _Text, where: str) -> list[str]:
    """Return the symbols in the order of their numbers."""
    characters = text.characters
    kind = _kind(text)
    if kind not in CLASSES:
        raise BadInput(
            f"characters.characters_class: {kind!r}; {nearest(kind, list(CLASSES))}", where=where
        )
    letters, marks = characters.characters or "", list(characters.punctuations or "")
    if kind == VITS:
        return [characters.pad or "", *marks, *letters, *(characters.phonemes or ""), BLANK]
    if kind == "IPAPhonemes" and characters.phonemes is not None:
        letters = characters.phonemes
    if characters.is_unique and not characters.is_sorted:
        raise BadInput("characters.is_sorted: false, so their order is unknown", where=where)
    ordered = list(dict.fromkeys(letters)) if characters.is_unique else list(letters)
    specials = filter(None, (characters.pad, characters.eos, characters.bos, characters.blank))
    return [*specials, *(sorted(ordered) if characters.is_sorted else ordered), *marks]


def read_reading(config: Mapping[str, Any], folder: Path, who: str, language: str) -> Reading:
    """Return the reading that prepares a text in ``language`` for the model's symbols.

    language: the model's own name of it. Raises BadInput for a cleaner or phonemizer that only
    coqui-tts has, and EngineMissing without eSpeak.
    """
    where = str(folder / CONFIG)
    text = validated(_Text, config, where)
    cleaner = text.text_cleaner or "no_cleaners"
    if cleaner not in CLEANERS:
        raise BadInput(
            f"text_cleaner: {cleaner!r} needs coqui-tts; {nearest(cleaner, list(CLEANERS))}",
            where=where,
        )
    clean, base = CLEANERS[cleaner], language.split("-", maxsplit=1)[0]
    if not text.use_phonemes:
        return lambda line: clean(line, base)
    if text.phonemizer not in (None, "", "espeak"):
        raise BadInput(
            f"phonemizer: {text.phonemizer!r} needs coqui-tts: without it, only 'espeak' works",
            where=where,
        )
    read = phonemes(who, text.phoneme_language or language)
    return lambda line: read(clean(line, base))


def _as_it_is(text: str, language: str) -> str:
    return text.replace("\n", "")


def _plain(text: str, language: str) -> str:
    return _spaced(unicodedata.normalize("NFC", text).lower())


def _turkish(text: str, language: str) -> str:
    return _plain(unicodedata.normalize("NFC", text).replace("I", "ı"), language)


def _without_signs(text: str, language: str) -> str:
    """Return ``text`` without the punctuation that the models have no symbols for."""
    text = unicodedata.normalize("NFC", text)
    # In Greek, a semicolon is a question mark.
    text = text if language == "el" else text.replace(";", ",")
    text = text.replace("-", "" if language == "ca" else " ").replace(":", ",")
    text = text.replace("&", AMPERSANDS.get(language, "&"))
    text = text.replace("'", "") if language == "ca" else text
    return _spaced(BRACKETS.sub("", text))


def _lower_without_signs(text: str, language: str) -> str:
    return _without_signs(unicodedata.normalize("NFC", text).lower(), language)


def _spaced(text: str) -> str:
    return " ".join(text.split())


CLEANERS: dict[str, Cleaner] = {
    "no_cleaners": _as_it_is,
    "basic_cleaners": _plain,
    "transliteration_cleaners": _plain,
    "basic_german_cleaners": _plain,
    "basic_turkish_cleaners": _turkish,
    "phoneme_cleaners": _without_signs,
    "multilingual_phoneme_cleaners": _without_signs,
    "multilingual_cleaners": _lower_without_signs,
    "english_cleaners": _lower_without_signs,
    "french_cleaners": _lower_without_signs,
    "italian_cleaners": _lower_without_signs,
    "portuguese_cleaners": _lower_without_signs,
}
"""Cleaners by coqui-tts's names. Its English, French and Italian cleaners also write out numbers
and abbreviations, which a line's text no longer contains."""
