"""The symbols of Kokoro's phonemes with their numbers, and East Asian forms of punctuation."""

from __future__ import annotations

import re

from dubbing.engines.adapters._onnx.symbols import Symbols

LONGEST = 510
"""Most symbols of a line, without the two at its ends."""

# Published with the model; 0 stands at both ends.
_RUNS = {
    1: ";:,.!?", 9: '—…"()“” \u0303ʣʥʦʨᵝꭧAI', 31: "O", 33: "Q", 35: "ST", 39: "W", 41: "Yᵊabcdef",
    50: "hijklmnopqrstuvwxyzɑɐɒæ", 75: "βɔɕç", 80: "ɖðʤə", 85: "ɚɛɜ", 90: "ɟ", 92: "ɡ", 99: "ɥ",
    101: "ɨɪʝ", 110: "ɯɰŋɳɲɴø", 118: "ɸθœ", 123: "ɹ", 125: "ɾɻ", 128: "ʁɽʂʃʈʧ", 135: "ʊʋ",
    138: "ʌɣɤ", 142: "χʎ", 147: "ʒʔ", 156: "ˈˌː", 162: "ʰ", 164: "ʲ", 169: "↓", 171: "→↗↘",
    177: "ᵻ",
}  # fmt: skip
SYMBOLS = Symbols(
    numbers={
        symbol: number for first, run in _RUNS.items() for number, symbol in enumerate(run, first)
    },
    start=0,
    end=0,
)

WIDE = str.maketrans(
    dict(zip("、，。．！？：；", (f"{sign} " for sign in ",,..!?:;"), strict=True))
    | dict.fromkeys("「『《【«", " “") | dict.fromkeys("」』》】»", "” ")
    | {"（": " (", "）": ") ", "・": " ", "·": " ", "～": "—", "〜": "—", "\u3000": " "}
)  # fmt: skip
"""The model's symbols for Chinese and Japanese punctuation."""
_SPACES = re.compile(r"\s+")
_NEEDLESS = re.compile(r"(?<=[“(]) | (?=[,.!?:;…”)])")


def spaced(phonemes: str) -> str:
    """Return phonemes with single spaces, and none inside quotes or before punctuation."""
    return _NEEDLESS.sub("", _SPACES.sub(" ", phonemes)).strip()
