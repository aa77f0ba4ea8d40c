"""References for servers that clone: the form of a voice is the recording itself.

Some servers identify a speaker by the path of the file, so files are named after their content.
"""

from __future__ import annotations

import base64
import hashlib
import io

import numpy as np
import soundfile

from dubbing.engines.engine import VoiceForm
from dubbing.media.samples import Audio


def form_of(reference: Audio, transcript: str, seconds: float) -> VoiceForm:
    """Return the form of a voice.

    ``{"samples": (frames,) int16, "rate": (1,) int64 in Hz, "transcript": (bytes,) uint8 in
    UTF-8}``. seconds: most seconds of a reference that the model uses; the rest is cut off.
    """
    heard = reference.samples[: round(seconds * reference.rate)]
    return {
        "samples": np.round(heard * 32767).astype(np.int16),
        "rate": np.array([reference.rate]),
        "transcript": np.frombuffer(transcript.encode(), np.uint8),
    }


def wav_of(form: VoiceForm) -> bytes:
    """Return the recording as a WAV file."""
    file = io.BytesIO()
    soundfile.write(file, form["samples"], int(form["rate"][0]), "PCM_16", format="WAV")
    return file.getvalue()


def data_uri(wav: bytes) -> str:
    """Return a WAV file as a ``data:`` URI."""
    return f"data:audio/wav;base64,{base64.b64encode(wav).decode()}"


def numbers_of(form: VoiceForm) -> list[float]:
    """Return the recording as samples within [-1, 1], rounded to the precision of 16 bits."""
    numbers: list[float] = (form["samples"].astype(np.float64) / 32767).round(5).tolist()
    return numbers


def name_of(wav: bytes) -> str:
    """Return the file name of a WAV file, which contains its digest."""
    return f"{hashlib.sha256(wav).hexdigest()[:32]}.wav"


def transcript_of(form: VoiceForm) -> str:
    """Return the transcript of the recording, or ``""``."""
    return form["transcript"].tobytes().decode()
