"""Samples in numpy: clips are judged, trimmed, encoded and decoded here.

Everywhere in the project ``samples`` are float32, mono ``(frames,)`` or ``(frames, channels)``,
within [-1, 1], and ``rate`` is in Hz.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile

from dubbing.errors import BadInput, SpeechRejected

Samples = npt.NDArray[np.float32]

SILENCE_DBFS = -60.0
"""A clip whose loudest sample is below this is silent."""
TRIM_DB = 45.0
"""Sound this far below a clip's peak is silence at either end: a line starts at its cue."""
TRIM_MARGIN = 0.003
"""Seconds kept on each side of a trimmed clip, so that no onset is cut."""
MAX_CHANNELS = 8
MAX_RATE = 192_000


@dataclass(frozen=True, kw_only=True)
class Audio:
    """Mono speech as an engine returns it."""

    samples: Samples
    """float32 mono, [-1, 1]."""
    rate: int
    """Hz."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


def judge(audio: Audio, *, longest: float) -> None:
    """Raise SpeechRejected unless ``audio`` can be the line that was asked for.

    longest: the most seconds that the text could plausibly take.
    """
    if audio.samples.size == 0:
        raise SpeechRejected("the engine returned no sound")
    loudest = peak(audio.samples)
    if not math.isfinite(loudest):
        raise SpeechRejected("the engine returned NaN or infinite samples")
    if loudest < 10 ** (SILENCE_DBFS / 20):
        raise SpeechRejected("the engine returned silence")
    if audio.seconds > longest:
        raise SpeechRejected(
            f"the engine returned {audio.seconds:.1f} s for a text of at most {longest:.1f} s"
        )


def trim(audio: Audio) -> Audio:
    """Return ``audio`` without the silence at both ends, so that it sounds from its first frame."""
    threshold = peak(audio.samples) * 10 ** (-TRIM_DB / 20)
    # Bytes can be searched from either end faster than an array.
    audible = (np.abs(audio.samples) > threshold).tobytes()
    margin = round(TRIM_MARGIN * audio.rate)
    first, last = audible.find(1), audible.rfind(1) + 1
    return Audio(samples=audio.samples[max(0, first - margin) : last + margin], rate=audio.rate)


def peak(samples: Samples) -> float:
    """Return the largest magnitude in ``samples``; NaN when they hold a NaN."""
    return float(max(samples.max(), -samples.min()))


def level(samples: Samples) -> float:
    """Return the RMS of ``samples`` in dBFS; -inf for digital silence."""
    with np.errstate(divide="ignore"):
        return float(20 * np.log10(np.sqrt(np.vdot(samples, samples) / samples.size)))


def encode_flac(audio: Audio, name: str = "", about: str = "") -> bytes:
    """Return ``audio`` as 16-bit FLAC, with ``name`` as its comment and ``about`` as its title."""
    data = io.BytesIO()
    with soundfile.SoundFile(
        data, "w", audio.rate, 1, "PCM_16", format="FLAC", compression_level=0.3
    ) as file:
        if name:
            file.comment = name
        if about:
            file.title = about
        file.write(audio.samples)
    return data.getvalue()


def decode_clip(data: bytes, name: str = "") -> Audio:
    """Return a clip that ``encode_flac`` encoded.

    Raises BadInput when the clip is damaged or cut short, or bears another name than ``name``. A
    clip without a name passes for any.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            samples = file.read(dtype="float32")
            frames, rate, found = file.frames, file.samplerate, file.comment
    except (soundfile.SoundFileError, RuntimeError) as exc:
        raise BadInput(f"the clip cannot be read: {exc}") from exc
    if samples.ndim != 1 or len(samples) != frames or frames == 0:
        raise BadInput(f"the clip is cut short: {len(samples)} of {frames} frames")
    if name and found and found != name:
        raise BadInput(f"this is another clip, {found}", where=name)
    return Audio(samples=samples, rate=rate)


def title_of(data: bytes) -> str:
    """Return what ``encode_flac`` was told about a clip, or ``""``; raises BadInput."""
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            return str(file.title)
    except (soundfile.SoundFileError, RuntimeError) as exc:
        raise BadInput(f"the clip cannot be read: {exc}") from exc


def encode_exact(audio: Audio) -> bytes:
    """Return ``audio`` as a WAV file of 32-bit floats, which loses nothing."""
    data = io.BytesIO()
    soundfile.write(data, audio.samples, audio.rate, "FLOAT", format="WAV")
    return data.getvalue()


def decode_exact(data: bytes) -> Audio:
    """Return the sound of a mono WAV or FLAC file, sample by sample; raises BadInput."""
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    except (soundfile.SoundFileError, RuntimeError) as exc:
        raise BadInput("it is neither WAV nor FLAC") from exc
    if samples.ndim != 1 or not samples.size:
        raise BadInput("it does not hold one channel of sound")
    return Audio(samples=samples, rate=rate)
