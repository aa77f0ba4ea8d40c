"""Kokoro's input: phonemes in its own alphabet.

Kokoro was trained on the phonemes of the library misaki. For most languages these are eSpeak's,
with one symbol for each affricate and diphthong. For English, misaki uses dictionaries, and eSpeak
for other words; here eSpeak's phonemes are converted to the same symbols. Japanese and Mandarin
need libraries for what eSpeak lacks: readings of characters, and tones.
"""

from __future__ import annotations

import re

from dubbing.engines.adapters._espeak import Reading, phonemes
from dubbing.engines.adapters._kokoro import japanese, mandarin

TIE = "^"
"""Joins the letters of one phoneme in eSpeak's answer."""

WORD = re.compile(r"\w+")
"""A word in phonemes; the marks of stress and length count as letters."""

VARIETIES = {
    "a": "en-US", "b": "en-GB", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja",
    "p": "pt-BR", "z": "zh",
}  # fmt: skip
"""The language of a voice, by the first letter of its name."""
ESPEAK = {"en-US": "en-us", "en-GB": "en-gb", "fr": "fr-fr", "pt-BR": "pt-br"}
"""eSpeak's names of these languages, where they differ."""

_PLAIN = {TIE: "", "-": ""}
_ENGLISH = {
    "a^ɪ": "I", "a^ʊ": "W", "d^ʒ": "ʤ", "e": "A", "e^ɪ": "A", "t^ʃ": "ʧ", "ɔ^ɪ": "Y", "o": "ɔ",
    "ə^l": "ᵊl", "l\u0329": "ᵊl", "m\u0329": "ᵊm", "n\u0329": "ᵊn", "ʔn\u0329": "tn", "ʔ": "t",
    "ɐ": "ə", "ɚ": "əɹ", "r": "ɹ", "ɾ": "T", "x": "k", "ç": "k", "ɬ": "l", "ʲ": "", "\u0303": "",
}  # fmt: skip
_AMERICAN = {"o^ʊ": "O", "ɜː": "ɜɹ", "ɜːɹ": "ɜɹ", "ɪə": "iə", "ː": ""}
_BRITISH = {"e^ə": "ɛː", "iə": "ɪə", "i^ə": "ɪə", "ə^ʊ": "Q"}
_OTHER = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q",
    "s^s": "S", "t^s": "ʦ", "t^ʃ": "ʧ", "ɔ^ɪ": "Y",
}  # fmt: skip
_WORDS = {"I": "ˌI", "ə": "ɐ"}
"""The English words "I" and "a", where the dictionaries differ from eSpeak. The model omits an
unstressed "I" after punctuation."""
_SIGNS = {
    "en-US": _PLAIN | _ENGLISH | _AMERICAN,
    "en-GB": _PLAIN | _ENGLISH | _BRITISH,
}

_READ_BY_OTHERS = {"ja": japanese.reading, "zh": mandarin.reading}
"""Languages that libraries other than eSpeak read, except for words in Latin letters."""


def reading(who: str, variety: str) -> Reading:
    """Return the reading that turns a text of a language into Kokoro's phonemes.

    who: the engine that needs it. variety: of `VARIETIES`. Raises EngineMissing without eSpeak; the
    reading raises SpeechRejected without its own library, or for a text that it cannot read.
    """
    if variety in _READ_BY_OTHERS:
        return _READ_BY_OTHERS[variety](who, reading(who, "en-US"))
    read = phonemes(who, ESPEAK.get(variety, variety), tie=TIE)
    signs = _SIGNS.get(variety, _PLAIN | _OTHER)
    longest_first = sorted(signs, key=len, reverse=True)
    sign = re.compile("|".join(map(re.escape, longest_first)))
    words = _WORDS if variety in _SIGNS else {}

    def read_in_signs(text: str) -> str:
        phonemes = sign.sub(lambda found: signs[found[0]], read(text))
        return WORD.sub(lambda found: words.get(found[0], found[0]), phonemes)

    return read_in_signs
