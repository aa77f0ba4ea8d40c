"""Mandarin in Kokoro's phonemes: words of Chinese characters, read as pinyin, with their tones.

The model was trained on words from jieba and readings from pypinyin; rjieba finds the same words. A
tone is an arrow after the vowels of its syllable. Tones come from the dictionary; the model learned
tone sandhi from speech.
"""

from __future__ import annotations

import re
from typing import NoReturn

from dubbing.engines.adapters._espeak import Reading
from dubbing.engines.adapters._kokoro.symbols import WIDE, spaced
from dubbing.engines.adapters._shared import needs_reader
from dubbing.errors import SpeechRejected

EXTRA = "kokoro-zh"
PARTS = re.compile(
    "([〇\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)|([A-Za-zÀ-ɏ][A-Za-zÀ-ɏ'’ -]*)|(.)",
    re.DOTALL,
)
"""Chinese characters, words in Latin letters, and any other character."""

INITIALS = {
    "b": "p", "c": "ʦʰ", "ch": "ꭧʰ", "d": "t", "f": "f", "g": "k", "h": "x", "j": "ʨ", "k": "kʰ",
    "l": "l", "m": "m", "n": "n", "p": "pʰ", "q": "ʨʰ", "r": "ɻ", "s": "s", "sh": "ʂ", "t": "tʰ",
    "x": "ɕ", "z": "ʦ", "zh": "ꭧ", "": "",
}  # fmt: skip
FINALS = {
    "a": "a", "ai": "ai", "an": "an", "ang": "aŋ", "ao": "au", "e": "ɤ", "ei": "ei", "en": "ən",
    "eng": "əŋ", "er": "ɚ", "ê": "ɛ", "i": "i", "ia": "ja", "ian": "jɛn", "iang": "jaŋ",
    "iao": "jau", "ie": "je", "in": "in", "ing": "iŋ", "iong": "jʊŋ", "iou": "jou", "o": "wo",
    "ong": "ʊŋ", "ou": "ou", "u": "u", "ua": "wa", "uai": "wai", "uan": "wan", "uang": "waŋ",
    "uei": "wei", "uen": "wən", "ueng": "wəŋ", "uo": "wo", "v": "y", "van": "ɥɛn", "ve": "ɥe",
    "vn": "yn",
}  # fmt: skip
"""pypinyin writes ``v`` for ü."""
WHOLE = {"hm": "hm", "hng": "hŋ", "m": "m", "n": "n", "ng": "ŋ", "o": "ɔ", "yo": "jɔ"}
"""Interjections, which have no initial and final of the table."""
BUZZED = frozenset({"z", "c", "s", "zh", "ch", "sh", "r"})
"""Initials after which *i* is another vowel."""
TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}
VOWELS_END = re.compile(r"(?<=.)(?=[nŋ]?$)")


def reading(who: str, english: Reading) -> Reading:
    """Return the reading of Mandarin.

    who: the engine that needs it. english: reads words in Latin letters. The reading raises
    SpeechRejected without its libraries, and for figures and characters that they do not read.
    """

    def refuse(characters: str) -> NoReturn:
        raise SpeechRejected(f"{who} does not know how to read {characters!r}")

    def read(text: str) -> str:
        try:
            from pypinyin import Style, lazy_pinyin
            from rjieba import cut
        except ImportError as exc:
            raise needs_reader(who, "zh", EXTRA, exc) from exc
        parts = PARTS.findall(text.translate(WIDE))
        if figures := "".join(other for _, _, other in parts if other.isdigit()):
            raise SpeechRejected(
                f"{who} reads no figures in Mandarin ({figures}): write them in words, or "
                "pip install 'dubbing[text]' where jobs are submitted"
            )

        def words(characters: str) -> str:
            pinyin = (
                lazy_pinyin(word, Style.TONE3, errors=refuse, neutral_tone_with_five=True)
                for word in cut(characters)
            )
            return " ".join("".join(map(_syllable, word)) for word in pinyin)

        return spaced(
            "".join(
                words(characters) if characters else f" {english(latin)} " if latin else other
                for characters, latin, other in parts
            )
        )

    return read


def _syllable(pinyin: str) -> str:
    """Return the phonemes of a syllable such as ``ni3``."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    plain, tone = pinyin[:-1], TONES[pinyin[-1]]
    if plain in WHOLE:
        return WHOLE[plain] + tone
    initial, final = to_initials(plain), to_finals(plain)
    vowels = "ɨ" if final == "i" and initial in BUZZED else FINALS[final]
    return INITIALS[initial] + VOWELS_END.sub(tone, vowels, count=1)
