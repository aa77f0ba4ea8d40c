"""Films and sound files: what they are, and their sound as samples.

PyAV reads what a file says of itself, ffmpeg decodes it. Only local regular files are opened, and
only containers that hold their media themselves.
"""

from __future__ import annotations

import io
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from dubbing.errors import BadInput
from dubbing.media.ffmpeg import SAFE, FFmpeg, source
from dubbing.media.samples import MAX_CHANNELS, MAX_RATE, Audio, Samples

RATE = 48_000
"""Hz of every track."""
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
"""ffmpeg's name of a track's layout, by its number of channels."""
MIN_RATE = 8_000

_GUESSED = {"aac", "ac3", "eac3", "mp3", "mpeg"}
"""Formats without an index: their length, as PyAV tells it, is guessed from the bit rate."""
_RIFF = {b"RIFF", b"RF64", b"BW64"}
_LARGEST_RIFF_SIZE = 0xFFFFFFFF
_CHUNKS_BEFORE_DATA = 1000


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """What a film or a sound file is."""

    seconds: float
    """Length from the film's first frame."""
    start: float
    """Where the first frame stands on the file's own clock, in seconds; a sound file's first
    sample when there is no picture."""
    has_video: bool
    """Whether there is a moving picture; a cover is none."""
    channels: int
    """Of the first audio stream; 0 when there is none."""
    language: str | None
    """Of the first audio stream, as it is tagged."""
    video_codec: str | None
    audio_codec: str | None
    """Of the first stream of its kind, such as ``h264`` or ``aac``."""


def probe(path: Path) -> MediaInfo:
    """Return what ``path`` is.

    Raises BadInput when it cannot be read, claims more than it holds, or is not a film or a sound
    file of its own.
    """
    with _opened(path) as container:
        _check_index(container, path)
        video, audio = _picture(container), _sound(container)
        if video is None and audio is None:
            raise BadInput("there is neither picture nor sound in it", where=path.name)
        if audio:
            _check_sound(audio, path)
        start = _start(video or audio, container)
        return MediaInfo(
            seconds=max(0.0, _end(container, path) - start),
            start=start,
            has_video=video is not None,
            channels=audio.channels if audio else 0,
            language=_language(audio) if audio else None,
            video_codec=video.codec.canonical_name if video else None,
            audio_codec=audio.codec.canonical_name if audio else None,
        )


def decode(path: Path, channels: int, *, frames: int = RATE * 10) -> Iterator[Samples]:
    """Yield the first audio stream in blocks of ``(frames, channels)`` at 48 kHz.

    It begins at the film's first frame: sound that starts later, or is missing in between, is
    silence. The last block is shorter.
    channels: 1, 2 or 6.
    Raises BadInput for a file that `probe` refuses, MediaError when decoding fails.
    """
    with _decoder(path, probe(path), rate=RATE, channels=channels) as ffmpeg:
        yield from read_blocks(ffmpeg.stdout, channels, frames)
        ffmpeg.finish(path.name)


def decode_speech(path: Path, *, rate: int, max_seconds: float) -> Audio:
    """Return a short recording as mono float32 at ``rate`` Hz.

    Raises BadInput when it is empty or longer than ``max_seconds``, whatever its header says, or
    when `probe` refuses it; MediaError when decoding fails.
    """
    info = probe(path)
    if not info.channels:
        raise BadInput("there is no sound in it", where=path.name)
    limit = int(max_seconds * rate)
    with _decoder(path, info, rate=rate, channels=1) as ffmpeg:
        samples = next(read_blocks(ffmpeg.stdout, 1, limit + 1), None)
        if samples is None or len(samples) <= limit:
            ffmpeg.finish(path.name)
    if samples is None:
        raise BadInput("the recording is empty", where=path.name)
    if len(samples) > limit:
        raise BadInput(f"the recording is longer than {max_seconds:g} s: cut it", where=path.name)
    return Audio(samples=samples[:, 0].copy(), rate=rate)


def read_blocks(file: io.BufferedReader, channels: int, frames: int) -> Iterator[Samples]:
    """Yield raw float32 from ``file`` in blocks of ``(frames, channels)``, the last one shorter."""
    while True:
        block = np.empty((frames, channels), np.float32)
        got = file.readinto(block.data.cast("B")) // (4 * channels)
        if got:
            yield block[:got]
        if got < frames:
            return


def _decoder(path: Path, info: MediaInfo, *, rate: int, channels: int) -> FFmpeg:
    if not info.channels:
        raise BadInput("there is no sound in it", where=path.name)
    resample = f"aresample={rate}:ochl={LAYOUTS[channels]}:async=1:first_pts=0"
    sound = ["-map", "0:a:0", "-af", resample, "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"]
    return FFmpeg([*source(path, delay=-info.start), *sound], stdout=subprocess.PIPE)


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    if not path.is_file():
        raise BadInput("there is no such file", where=path.name)
    _check_wave(path)
    try:
        with av.open(f"file:{path}", options=SAFE, metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, ValueError) as exc:
        message = f"not a film or sound file that can be read ({exc})"
        raise BadInput(message, where=path.name) from exc


def _picture(container: InputContainer) -> VideoStream | None:
    """Return the first video stream that is not a cover."""
    streams = container.streams.video
    return next((s for s in streams if not s.disposition & Disposition.attached_pic), None)


def _sound(container: InputContainer) -> AudioStream | None:
    return next(iter(container.streams.audio), None)


def _start(stream: VideoStream | AudioStream | None, container: InputContainer) -> float:
    if stream is not None and stream.start_time is not None and stream.time_base is not None:
        return float(stream.start_time * stream.time_base)
    return (container.start_time or 0) / av.time_base


def _end(container: InputContainer, path: Path) -> float:
    """Return the second, on the file's own clock, where its last stream ends."""
    if container.duration and not _GUESSED & set(container.format.name.split(",")):
        return ((container.start_time or 0) + container.duration) / av.time_base
    end = Fraction(0)
    for packet in container.demux():
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None and packet.time_base is not None:
            end = max(end, (stamp + (packet.duration or 0)) * packet.time_base)
    if not end:
        raise BadInput("there is nothing in it", where=path.name)
    return float(end)


def _language(stream: AudioStream) -> str | None:
    return None if stream.language in {None, "", "und"} else stream.language


def _check_sound(stream: AudioStream, path: Path) -> None:
    if not 1 <= stream.channels <= MAX_CHANNELS:
        raise BadInput(
            f"it has {stream.channels} channels: at most {MAX_CHANNELS} can be read",
            where=path.name,
        )
    if not MIN_RATE <= stream.rate <= MAX_RATE:
        raise BadInput(
            f"its sample rate is {stream.rate} Hz: {MIN_RATE} to {MAX_RATE} can be read",
            where=path.name,
        )


def _check_index(container: InputContainer, path: Path) -> None:
    """Raise BadInput for an MP4 whose index names more than the file holds."""
    size = path.stat().st_size
    for stream in container.streams if container.format.name.startswith("mov") else ():
        entries = stream.index_entries
        if len(entries) and entries[-1].pos + entries[-1].size > size:
            raise BadInput("the file is cut short: copy it anew", where=path.name)


def _check_wave(path: Path) -> None:
    """Raise BadInput for a WAV that claims more sound than the file holds.

    Readers take such a file for a shorter one, and say nothing.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in _RIFF or head[8:] != b"WAVE":
            return
        large: int | None = None
        for _ in range(_CHUNKS_BEFORE_DATA):
            if len(header := file.read(8)) < 8:
                break
            name, length = struct.unpack("<4sI", header)
            after = file.tell() + length + length % 2
            if name == b"ds64":
                large = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
            if name == b"data":
                claimed = large if large and length == _LARGEST_RIFF_SIZE else length
                if file.tell() + claimed <= size:
                    return
                break
            file.seek(after)
    raise BadInput(
        "the WAV is cut short, or claims more sound than the file holds: write it anew",
        where=path.name,
    )
