"""eSpeak NG, in process: 1,000 times real time on one core, and no model to download.

A voice is one of eSpeak's variants, which speak any language. The library keeps its state in
globals, so a process has one, used by one thread at a time.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import numpy as np

from dubbing.audio import Audio
from dubbing.engine import EngineSpec, Line, Spoken, VoiceForm, described, require
from dubbing.errors import DubbingError, EngineFailed, SpeechRejected
from dubbing.weights import Weights

RATE = 22050
"""Hz; what eSpeak's own data are made for."""
WORDS_A_MINUTE = 175
"""eSpeak's own pace."""
MIDDLE_PITCH = 50
"""eSpeak's pitch goes from 0 to 100."""

SYNCHRONOUS, BUFFER_MS, DO_NOT_EXIT = 2, 1000, 0x8000
SPEED, PITCH = 1, 3
CHARACTER_POSITION, PLAIN_UTF8 = 1, 1

# By turns a low and a high voice, each as far as can be from those before it in pitch and
# spectrum, so that the first few, which a small cast is given, are told apart at once.
VOICES = (
    "m3", "Annie", "m8", "steph", "quincy", "shelby", "michel", "f1", "rob", "grandma",
    "edward", "f5", "boris", "belinda", "Michael", "linda", "m4", "f3", "robert", "f2",
    "m7", "aunty", "m2", "f4", "m1", "max", "m6", "m5",
)  # fmt: skip

# What eSpeak speaks in the script that people write it in. Not Japanese, nor Hakka: it knows no
# kanji there, and says "Chinese letter" for each. Nor Faroese and Karakalpak: the wheel lacks
# their dictionaries. Nor Chuvash: it leaves out numbers.
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

# eSpeak's names where they are not the tag in small letters.
NAMES = {"en-GB": "en", "no": "nb", "zh": "cmn", "zh-HK": "yue"}

# Measured on film lines, spaces and signs counted.
CHARACTERS_PER_SECOND = {
    "ar": 12.4, "bn": 13.7, "cmn": 4.5, "cs": 16.9, "da": 20.1, "de": 19.2, "el": 18.6,
    "en": 20.4, "es": 18.6, "fa": 12.9, "fi": 15.7, "fr": 23.6, "he": 15.1, "hi": 15.4,
    "hu": 15.8, "id": 16.6, "it": 18.5, "ko": 8.0, "nb": 15.3, "nl": 17.6, "no": 15.3,
    "pl": 15.4, "pt": 17.9, "ro": 17.7, "ru": 19.0, "sv": 17.0, "ta": 19.0, "th": 9.5,
    "tr": 14.9, "uk": 14.9, "vi": 19.2, "yue": 5.1, "zh": 4.5, "*": 16.5,
}  # fmt: skip

_lock = Lock()


class ESpeak:
    """eSpeak NG, through its C library.

    Its own speed is near what is asked, within some 15 %. Pitch is honoured from about 6
    semitones down to 8 up, and goes no further. It cannot clone.
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
        # A message costs what a line does: a few dozen lines make it not matter.
        batch_lines=64,
        # Nothing is padded, so only the number of lines counts.
        batch_seconds=100_000.0,
        seconds_per_call=60.0,
        licence="GPL-3.0-or-later",
    )
    model: str

    def __init__(self, name: str = "espeak", folder: Path = Path()) -> None:
        self.spec = described(ESpeak.spec, name, folder)
        self._library: _Library | None = None

    def load(self, device: str) -> None:
        """Load the library; raises EngineMissing or EngineFailed."""
        require(self)
        with _lock:
            self._library = _open_library()
        self.model = self._library.digest

    def unload(self) -> None:
        """Let go of the library, whose 3 MB stay with the process."""
        self._library = None

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Raise SpeechRejected: eSpeak has its own voices only."""
        raise SpeechRejected("espeak cannot clone a voice: give the role one of its voices")

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, one after the other."""
        return [self._speak(line) for line in lines]

    def _speak(self, line: Line) -> Spoken:
        if self._library is None:
            raise EngineFailed("espeak is not loaded")
        try:
            voice = f"{_language(line.language)}+{_variant(line.voice)}"
            rate, pitch = round(WORDS_A_MINUTE * line.speed), _pitch(line.pitch)
            with _lock:
                sound = self._library.speak(line.text, voice, rate, pitch)
        except DubbingError as exc:
            return exc
        samples = np.frombuffer(sound, np.int16) * np.float32(1 / 32768)
        return Audio(samples=samples, rate=RATE)


class _Library:
    """The C library, of which a process has one; every call needs the lock."""

    def __init__(self, path: str, data: str) -> None:
        self._c = ctypes.CDLL(path)
        self._c.espeak_Info.restype = ctypes.c_char_p
        self._c.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        if self._c.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data.encode(), DO_NOT_EXIT) != RATE:
            raise EngineFailed(f"espeak did not start with its data in {data}")
        self._sound = bytearray()
        self._voice = ""
        # Kept, as the C side holds no reference to it.
        self._callback = _CALLBACK(self._collect)
        self._c.espeak_SetSynthCallback(self._callback)

    @property
    def digest(self) -> str:
        """Digest of the versions of the library and of the wheel that brings its data."""
        library = self._c.espeak_Info(None).decode()
        return hashlib.sha256(f"{library} {version('espeakng-loader')}".encode()).hexdigest()

    def speak(self, text: str, voice: str, rate: int, pitch: int) -> bytes:
        """Return 16-bit samples of ``text``, which is plain: no markup, no phonemes."""
        if voice != self._voice:
            self._voice = ""
            _check(self._c.espeak_SetVoiceByName(voice.encode()), f"has no voice {voice!r}")
            self._voice = voice
        self._c.espeak_SetParameter(SPEED, rate, 0)
        self._c.espeak_SetParameter(PITCH, pitch, 0)
        self._sound.clear()
        data = text.encode()
        status = self._c.espeak_Synth(
            data, len(data) + 1, 0, CHARACTER_POSITION, 0, PLAIN_UTF8, None, None
        )
        _check(status, "could not speak the line")
        return bytes(self._sound)

    def _collect(self, samples: int | None, count: int, events: int | None) -> int:
        if samples and count > 0:
            self._sound += ctypes.string_at(samples, 2 * count)
        return 0


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


@cache
def _open_library() -> _Library:
    import espeakng_loader

    try:
        return _Library(
            str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path())
        )
    except OSError as exc:
        raise EngineFailed(f"espeak's library cannot be loaded: {exc}") from exc


@cache
def _language(tag: str) -> str:
    """Return eSpeak's name of the language, of the nearest regional kind that it has."""
    base = tag.split("-", maxsplit=1)[0].lower()
    own = [language for language in LANGUAGES if language.split("-", maxsplit=1)[0] == base]
    if not own:
        raise SpeechRejected(f"espeak does not speak {tag!r}")
    import langcodes  # noqa: PLC0415 - its tables cost more than eSpeak does

    nearest = langcodes.closest_match(tag, own)[0]
    language = tag if tag in NAMES else nearest if nearest in own else base
    return NAMES.get(language, language.lower())


def _variant(voice: str | VoiceForm) -> str:
    # eSpeak itself takes an unknown variant for none at all.
    if not isinstance(voice, str) or voice not in VOICES:
        raise SpeechRejected(f"espeak has no voice {voice!r}; its voices are: {', '.join(VOICES)}")
    return voice


def _pitch(semitones: float) -> int:
    """Return eSpeak's pitch, fitted to the fundamental frequency that it was measured to give."""
    value = MIDDLE_PITCH + 6.9 * semitones - 0.12 * semitones * abs(semitones)
    return round(min(max(value, 0), 100))


def _check(status: Any, failure: str) -> None:
    if status != 0:
        raise EngineFailed(f"espeak {failure} (status {status})")
