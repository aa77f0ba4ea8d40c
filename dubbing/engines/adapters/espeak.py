"""eSpeak NG, in process: 1,000 times real time on one core, and no model to download.

Its voices are eSpeak's variants, each of which speaks any language.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from dubbing.engines.adapters._espeak import RATE, Library, open_library
from dubbing.engines.adapters._shared import cannot_clone, does_not_speak, loaded, no_such_voice
from dubbing.engines.engine import EngineSpec, Line, Spoken, VoiceForm, described, require
from dubbing.engines.models.folders import Weights
from dubbing.errors import DubbingError
from dubbing.media.samples import Audio

WORDS_A_MINUTE = 175
"""eSpeak's own pace."""
MIDDLE_PITCH = 50
"""eSpeak's pitch goes from 0 to 100."""

# Low and high voices alternate. Each voice differs as much as possible in pitch and spectrum from
# the voices before it, so that the voices of a small cast are easy to distinguish.
VOICES = (
    "m3", "Annie", "m8", "steph", "quincy", "shelby", "michel", "f1", "rob", "grandma",
    "edward", "f5", "boris", "belinda", "Michael", "linda", "m4", "f3", "robert", "f2",
    "m7", "aunty", "m2", "f4", "m1", "max", "m6", "m5",
)  # fmt: skip

# The languages that eSpeak speaks from their usual script. Excluded are Japanese and Hakka, where
# it says "Chinese letter" for each character; Faroese and Karakalpak, whose dictionaries the wheel
# lacks; and Chuvash, where it skips numbers.
LANGUAGES = (
    "af", "am", "an", "ar", "as", "az", "ba", "be", "bg", "bn", "bpy", "bs", "ca", "cmn", "cs",
    "cy", "da", "de", "el", "en", "en-029", "en-GB", "en-US", "eo", "es", "es-419", "et",
    "eu", "fa", "fi", "fr", "fr-BE", "fr-CH", "ga", "gd", "gn", "grc", "gu", "haw", "he",
    "hi", "hr", "ht", "hu", "hy", "hyw", "ia", "id", "io", "is", "it", "ka", "kk", "kl",
    "kn", "ko", "kok", "ku", "ky", "la", "lb", "lfn", "lt", "ltg", "lv", "mi", "mk", "ml", "mr",
    "ms", "mt", "my", "nb", "nci", "ne", "nl", "no", "nog", "om", "or", "pa", "pap", "pl", "pt",
    "pt-BR", "qu", "quc", "ro", "ru", "sd", "shn", "si", "sk", "sl", "smj", "sq", "sr", "sv",
    "sw", "ta", "te", "th", "ti", "tk", "tn", "tr", "tt", "ug", "uk", "ur", "uz", "vi", "yue", "zh",
)  # fmt: skip

# eSpeak's names of languages where they differ from the tag in lower case.
NAMES = {"en-GB": "en", "no": "nb", "zh": "cmn", "zh-HK": "yue"}

# Measured on lines of films; spaces and punctuation count.
CHARACTERS_PER_SECOND = {
    "ar": 12.4, "bn": 13.7, "cmn": 4.5, "cs": 16.9, "da": 20.1, "de": 19.2, "el": 18.6,
    "en": 20.4, "es": 18.6, "fa": 12.9, "fi": 15.7, "fr": 23.6, "he": 15.1, "hi": 15.4,
    "hu": 15.8, "id": 16.6, "it": 18.5, "ko": 8.0, "nb": 15.3, "nl": 17.6, "no": 15.3,
    "pl": 15.4, "pt": 17.9, "ro": 17.7, "ru": 19.0, "sv": 17.0, "ta": 19.0, "th": 9.5,
    "tr": 14.9, "uk": 14.9, "vi": 19.2, "yue": 5.1, "zh": 4.5, "*": 16.5,
}  # fmt: skip


class ESpeak:
    """eSpeak NG, through its C library.

    Its speed is within about 15 % of the requested speed. Pitch is limited to about 6 semitones
    down and 8 up. It cannot clone.
    """

    weights: ClassVar[Weights | None] = None
    extra: ClassVar[str] = "espeak"
    libraries: ClassVar[tuple[str, ...]] = ("espeakng_loader",)
    spec = EngineSpec(
        name="espeak",
        summary="eSpeak NG: formant synthesis, very fast, plainly artificial",
        languages=LANGUAGES,
        voices=VOICES,
        max_characters={"*": 1000},
        characters_per_second=CHARACTERS_PER_SECOND,
        speed=(0.5, 2.0),
        delivery=("pitch",),
        sample_rate=RATE,
        # A message costs as much as a line; among a few dozen lines that does not matter.
        batch_lines=64,
        # Nothing is padded, so only the number of lines counts.
        batch_seconds=100_000.0,
        seconds_per_call=60.0,
        licence="GPL-3.0-or-later",
    )
    model: str

    def __init__(self, name: str = "espeak", folder: Path = Path()) -> None:
        self.spec = described(ESpeak.spec, name, folder)
        self._library: Library | None = None

    def load(self, device: str) -> None:
        """Load the library; raises EngineMissing or EngineFailed."""
        require(self)
        self._library = open_library()
        self.model = self._library.digest

    def unload(self) -> None:
        """Drop the library; its memory stays with the process."""
        self._library = None

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Raise SpeechRejected: eSpeak has only its own voices."""
        raise cannot_clone(self.spec)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, one after the other."""
        library = loaded(self.spec, self._library)
        return [self._speak(library, line) for line in lines]

    def _speak(self, library: Library, line: Line) -> Spoken:
        try:
            # eSpeak itself would ignore an unknown variant.
            if line.voice not in VOICES:
                raise no_such_voice(self.spec, line.voice)
            voice = f"{_language(line.language)}+{line.voice}"
            rate, pitch = round(WORDS_A_MINUTE * line.speed), _pitch(line.pitch)
            sound = library.speak(line.text, voice, rate, pitch)
        except DubbingError as exc:
            return exc
        samples = np.frombuffer(sound, np.int16) * np.float32(1 / 32768)
        return Audio(samples=samples, rate=RATE)


@cache
def _language(tag: str) -> str:
    """Return eSpeak's name of a language, or of the nearest regional variety that it has."""
    base = tag.split("-", maxsplit=1)[0].lower()
    varieties = [language for language in LANGUAGES if language.split("-", maxsplit=1)[0] == base]
    if not varieties:
        raise does_not_speak(ESpeak.spec, tag)
    import langcodes  # noqa: PLC0415 - its tables cost more than eSpeak does

    nearest = langcodes.closest_match(tag, varieties)[0]
    language = tag if tag in NAMES else nearest if nearest in varieties else base
    return NAMES.get(language, language.lower())


def _pitch(semitones: float) -> int:
    """Return eSpeak's pitch value, fitted to measured fundamental frequencies."""
    value = MIDDLE_PITCH + 6.9 * semitones - 0.12 * semitones * abs(semitones)
    return round(min(max(value, 0), 100))
