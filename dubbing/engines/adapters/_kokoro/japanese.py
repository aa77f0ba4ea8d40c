"""Japanese in Kokoro's phonemes: words, read as katakana.

The model was trained on words and readings from MeCab, without accents. Open JTalk is used here,
because it also reads numbers with their counters. A particle is a separate word; the endings of a
verb are not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from dubbing.engines.adapters._espeak import Reading
from dubbing.engines.adapters._kokoro.symbols import WIDE, spaced
from dubbing.engines.adapters._shared import needs_reader

EXTRA = "kokoro-ja"

_ROWS = {
    "アイウエオ": "a i ɯ e o", "カキクケコ": "ka kʲi kɯ ke ko", "ガギグゲゴ": "ɡa ɡʲi ɡɯ ɡe ɡo",
    "サシスセソ": "sa ɕi sɨ se so", "ザジズゼゾ": "ʣa ʥi zɨ ʣe ʣo", "タチツテト": "ta ʨi ʦɨ te to",
    "ダヂヅデド": "da ʥi zɨ de do", "ナニヌネノ": "na ɲi nɯ ne no", "ハヒフヘホ": "ha çi ɸɯ he ho",
    "バビブベボ": "ba bʲi bɯ be bo", "パピプペポ": "pa pʲi pɯ pe po",
    "マミムメモ": "ma mʲi mɯ me mo", "ヤユヨ": "ja jɯ jo", "ラリルレロ": "ɾa ɾʲi ɾɯ ɾe ɾo",
    "ワヰヱヲヴ": "βa i e o vɯ", "ッンー": "ʔ ɴ ː",
}  # fmt: skip
KANA = {
    kana: sound
    for row, sounds in _ROWS.items()
    for kana, sound in zip(row, sounds.split(), strict=True)
}
SMALL = {
    "ァ": "a", "ィ": "ʲi", "ゥ": "ɯ", "ェ": "e", "ォ": "o", "ャ": "ʲa", "ュ": "ʲɨ", "ョ": "ʲo",
    "ヮ": "a",
}  # fmt: skip
"""Phonemes of small kana, which replace the vowel before them."""
BEFORE_SMALL = {"イ": "j", "ウ": "β", "ク": "kᵝ", "グ": "ɡᵝ"}
"""Consonants of kana that change before a small kana."""
SOFT = ("ʲ", "ɕ", "ʥ", "ʨ", "ɲ", "ç", "j", "β", "ᵝ")
"""Consonants that take no further *ʲ*."""
MORA = re.compile(f"([ァ-ヴー])([{''.join(SMALL)}]?)")
NASALS = {
    before: nasal
    for nasal, consonants in {"m": "mpb", "ŋ": "kɡ", "ɲ": "ɲʨʥ", "n": "ntdɾz"}.items()
    for before in consonants
}
"""Phonemes of ン before a consonant of the same word."""
NASAL = re.compile(f"ɴ(?=([{''.join(NASALS)}]))")

PUNCTUATION = "記号"
INFLECTED = frozenset({"動詞", "形容詞", "助動詞"})
ENDINGS = frozenset({("助動詞", "*"), ("助詞", "接続助詞")})
"""Parts of speech that are joined to the inflected word before them."""
CUT_SHORT = re.compile("(?<=ʔ) ")


def reading(who: str, english: Reading) -> Reading:
    """Return the reading of Japanese.

    who: the engine that needs it. english: reads words in Latin letters. The reading raises
    SpeechRejected without its library.
    """

    def read(text: str) -> str:
        try:
            from pyopenjtalk import run_frontend
        except ImportError as exc:
            raise needs_reader(who, "ja", EXTRA, exc) from exc
        return CUT_SHORT.sub("", spaced(_joined(run_frontend(text), english)))

    return read


def _joined(words: Iterable[Mapping[str, Any]], english: Reading) -> str:
    """Return the phonemes of words that Open JTalk found, with spaces between them."""
    phonemes, before = "", ""
    for word in words:
        written, kind = word["string"], word["pos"]
        if kind == PUNCTUATION:
            phonemes += written.translate(WIDE)
        elif (narrow := unicodedata.normalize("NFKC", written)).isascii():
            phonemes += f" {english(narrow)}"
        elif before in INFLECTED and (kind, word["pos_group1"]) in ENDINGS:
            phonemes += sounds(word["pron"])
        else:
            phonemes += f" {sounds(word['pron'])}"
        before = kind
    return phonemes


def sounds(kana: str) -> str:
    """Return the phonemes of a word in katakana; other signs in it have none."""
    phonemes = "".join(_mora(*found) for found in MORA.findall(kana))
    return NASAL.sub(lambda found: NASALS[found[1]], phonemes)


def _mora(kana: str, small: str) -> str:
    """Return the phonemes of a kana and the small one after it, if there is one."""
    if not small:
        return KANA.get(kana) or SMALL.get(kana, "").removeprefix("ʲ")
    consonant = BEFORE_SMALL.get(kana, KANA.get(kana, "")[:-1])
    vowel = SMALL[small]
    return consonant + (vowel.removeprefix("ʲ") if consonant.endswith(SOFT) else vowel)
