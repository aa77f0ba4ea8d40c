"""eSpeak NG's C library: it speaks text, and turns text into phonemes.

The library keeps its state in globals, so a process has one instance, used by one thread at a time.
"""

from __future__ import annotations

import ctypes
import hashlib
import re
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from threading import Lock
from typing import Any

from dubbing.errors import EngineFailed, EngineMissing, SpeechRejected

RATE = 22050
"""Hz; the rate of eSpeak's own data."""

SYNCHRONOUS, BUFFER_MS, DO_NOT_EXIT = 2, 1000, 0x8000
SPEED, PITCH = 1, 3
CHARACTER_POSITION, PLAIN_UTF8 = 1, 1
IPA_PHONEMES, TIED = 2, 0x80
TIE_SHIFT = 8
LANGUAGE_CHANGE = re.compile(r"\([^()\s]+\)")
"""eSpeak's mark of a change of language within a text; it may contain ties, like phonemes."""

PUNCTUATION = re.compile(r"((?:\s*[;:,.!?¡¿—…\"«»“”]+\s*)+)")
"""Punctuation. eSpeak omits it from the phonemes, but models have symbols for it."""

ESPEAK_NAMES = {"en": "en-us", "zh-cn": "cmn"}
"""eSpeak's names of languages, where coqui-tts differs; its models were trained with these."""

Reading = Callable[[str], str]
"""Turns a text into the letters or phonemes whose symbols are looked up."""

_lock = Lock()


class _Properties(ctypes.Structure):
    """The criteria by which eSpeak chooses a voice."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("unused", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class Library:
    """The C library; a process has one instance."""

    def __init__(self, path: str, data: str) -> None:
        self._c = ctypes.CDLL(path)
        self._c.espeak_Info.restype = ctypes.c_char_p
        self._c.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        self._c.espeak_TextToPhonemes.restype = ctypes.c_char_p
        if self._c.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data.encode(), DO_NOT_EXIT) != RATE:
            raise EngineFailed(f"espeak did not start with its data in {data}")
        self._sound = bytearray()
        self._voice = ""
        # Kept, because the C library holds no reference that Python counts.
        self._callback = _CALLBACK(self._collect)
        self._c.espeak_SetSynthCallback(self._callback)

    @property
    def digest(self) -> str:
        """Digest of the versions of the library and of the wheel with its data."""
        library = self._c.espeak_Info(None).decode()
        return hashlib.sha256(f"{library} {version('espeakng-loader')}".encode()).hexdigest()

    def speak(self, text: str, voice: str, rate: int, pitch: int) -> bytes:
        """Return the 16-bit samples of ``text``, read as plain text without markup."""
        data = text.encode()
        with _lock:
            self._choose(voice)
            self._c.espeak_SetParameter(SPEED, rate, 0)
            self._c.espeak_SetParameter(PITCH, pitch, 0)
            self._sound.clear()
            status = self._c.espeak_Synth(
                data, len(data) + 1, 0, CHARACTER_POSITION, 0, PLAIN_UTF8, None, None
            )
            _check(status, "could not speak the line")
            return bytes(self._sound)

    def phonemes(self, text: str, language: str, tie: str = "") -> str:
        """Return ``text`` in the IPA, with spaces between words and without punctuation.

        language: eSpeak's name of it, such as ``en-us``. tie: a character that joins the letters of
        one phoneme. Raises SpeechRejected for a language that eSpeak does not know.
        """
        mode = IPA_PHONEMES | (TIED | ord(tie) << TIE_SHIFT if tie else 0)
        rest = ctypes.c_char_p(text.encode())
        clauses = []
        with _lock:
            self._choose(language, by_language=True)
            # Each call reads one clause and advances the pointer, which is null after the last one.
            while rest.value is not None:
                clause = self._c.espeak_TextToPhonemes(ctypes.byref(rest), PLAIN_UTF8, mode)
                clauses.append(LANGUAGE_CHANGE.sub("", clause.decode()).strip())
        return " ".join(filter(None, clauses))

    def _choose(self, voice: str, *, by_language: bool = False) -> None:
        if voice == self._voice:
            return
        self._voice = ""
        status = self._c.espeak_SetVoiceByName(voice.encode())
        if status and by_language:
            wanted = _Properties(languages=voice.encode())
            status = self._c.espeak_SetVoiceByProperties(ctypes.byref(wanted))
        if status and by_language:
            raise SpeechRejected(f"espeak has no phonemes for {voice!r}")
        _check(status, f"has no voice {voice!r}")
        self._voice = voice

    def _collect(self, samples: int | None, count: int, events: int | None) -> int:
        if samples and count > 0:
            self._sound += ctypes.string_at(samples, 2 * count)
        return 0


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


def open_library() -> Library:
    """Return the library of this process; raises EngineFailed when it does not load."""
    with _lock:
        return _open()


@cache
def _open() -> Library:
    import espeakng_loader

    try:
        return Library(
            str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path())
        )
    except OSError as exc:
        raise EngineFailed(f"espeak's library cannot be loaded: {exc}") from exc


def phonemizer(who: str) -> Library:
    """Return the library for phonemes; raises EngineMissing, naming the engine, without it."""
    if not find_spec("espeakng_loader"):
        raise EngineMissing(
            f"the model of engine {who!r} needs phonemes, which come from eSpeak: "
            "pip install 'dubbing[espeak]'"
        )
    return open_library()


def phonemes(who: str, language: str, tie: str = "") -> Reading:
    """Return the reading that turns a text into phonemes and keeps its punctuation.

    who: the engine that needs it. language: as coqui-tts or eSpeak names it. tie: a character that
    joins the letters of one phoneme. Raises EngineMissing without eSpeak.
    """
    library = phonemizer(who)
    voice = ESPEAK_NAMES.get(language, language)

    def read(text: str) -> str:
        parts = PUNCTUATION.split(text.strip())
        # Every second part is punctuation.
        return "".join(
            part if number % 2 or not part else library.phonemes(part, voice, tie)
            for number, part in enumerate(parts)
        )

    return read


def _check(status: Any, failure: str) -> None:
    if status != 0:
        raise EngineFailed(f"espeak {failure} (status {status})")
