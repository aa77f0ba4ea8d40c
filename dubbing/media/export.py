"""Clips as sound files of several formats, written by pydub."""

from __future__ import annotations

import warnings
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from dubbing.errors import BadInput, MediaError
from dubbing.media.samples import Audio

FORMATS = {".wav": "wav", ".flac": "flac", ".mp3": "mp3", ".ogg": "ogg"}


def check_suffix(path: Path) -> None:
    """Raise BadInput unless the suffix of ``path`` names a format."""
    if path.suffix.lower() not in FORMATS:
        raise BadInput(f"name a file that ends in {', '.join(FORMATS)}", where=str(path))


def export(audio: Audio, path: Path) -> None:
    """Write ``audio`` to ``path`` in the format of its suffix."""
    check_suffix(path)
    with warnings.catch_warnings():
        # On import pydub looks for ffmpeg on PATH, and warns without one; it gets ours below.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment  # noqa: PLC0415 - see above
        from pydub.exceptions import CouldntEncodeError  # noqa: PLC0415 - see above
    AudioSegment.converter = imageio_ffmpeg.get_ffmpeg_exe()
    samples = np.clip(audio.samples * 32767, -32768, 32767).astype("<i2")
    segment = AudioSegment(samples.tobytes(), frame_rate=audio.rate, sample_width=2, channels=1)
    try:
        segment.export(str(path), format=FORMATS[path.suffix.lower()]).close()
    except (CouldntEncodeError, OSError) as exc:
        raise MediaError(f"{path} cannot be written: {exc}") from exc
