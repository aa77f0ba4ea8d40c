"""Films and sound files: their properties, and their sound as samples.

PyAV reads the metadata, ffmpeg decodes. Only local regular files are opened, and only containers
that hold their media themselves.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from dubbing.errors import BadInput
from dubbing.media.extent import check_length, end_of
from dubbing.media.ffmpeg import FORMATS, SAFE, FFmpeg, source
from dubbing.media.samples import MAX_CHANNELS, MAX_RATE, Audio, Samples, peak
from dubbing.media.tracks import choose, codec_of, language, moving_pictures
from dubbing.media.truncation import check_claim, check_whole

RATE = 48_000
"""Hz of every track."""
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
"""ffmpeg's name of a channel layout, by the number of channels."""
LOUDEST = 100.0
"""Largest magnitude of a sample that is sound: 40 dB above full scale."""
MIN_RATE = 8_000


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """Properties of a film or a sound file."""

    seconds: float
    """Length of picture and sound, from the film's first frame to the end of the longer one."""
    start: float
    """Time of the first frame on the file's own clock, in seconds; of the first sample when there
    is no picture."""
    video_codecs: tuple[str, ...]
    """Codec of each video track, such as ``h264``; cover images do not count."""
    channels: int
    """Channels of the sound; 0 when there is none."""
    language: str | None
    """The sound's language tag."""
    sound_codecs: tuple[str | None, ...]
    """Codec of each sound track, such as ``aac``; None for one that cannot be read."""
    track: int
    """Index of the chosen sound track, counted from 0."""
    early: float = 0.0
    """Seconds of sound before the first frame; they are left out."""
    subtitle_codecs: tuple[str | None, ...] = ()
    """Codec of each track of subtitles, such as ``subrip``; None for one that cannot be read."""

    @property
    def has_video(self) -> bool:
        """Whether there is a video track that is not a cover."""
        return bool(self.video_codecs)

    @property
    def video_codec(self) -> str | None:
        """The codec of the first video track."""
        return next(iter(self.video_codecs), None)

    @property
    def audio_codec(self) -> str | None:
        """The codec of the chosen sound track."""
        return self.sound_codecs[self.track] if self.channels else None


def probe(path: Path, *, track: str | None = None) -> MediaInfo:
    """Return the properties of the file at ``path``.

    track: the sound track to use, by number or language, as in `tracks.choose`.
    Raises BadInput for a file that cannot be read, is shorter than it claims, lasts more than 24
    hours, has no such track, or is no self-contained film or sound file.
    """
    with _opened(path) as container:
        _check_index(container, path)
        pictures, sound = moving_pictures(container), _sound(container, path, track)
        streams = _played(pictures, sound)
        if not streams:
            raise BadInput("there is neither picture nor sound in it", where=path.name)
        start = _start(streams, container)
        seconds = max(0.0, end_of(container, streams, path.name) - start)
        check_length(seconds, path.stat().st_size, path.name)
        return MediaInfo(
            seconds=seconds,
            start=start,
            video_codecs=tuple(codec_of(picture) or "unknown" for picture in pictures),
            channels=sound.channels if sound else 0,
            language=language(sound) if sound else None,
            sound_codecs=tuple(codec_of(track) for track in container.streams.audio),
            track=_number(sound, container),
            early=max(0.0, start - _start([sound], container)) if sound else 0.0,
            subtitle_codecs=tuple(codec_of(track) for track in container.streams.subtitles),
        )


def decode(
    path: Path, channels: int, *, track: str | None = None, frames: int = RATE * 10
) -> Iterator[Samples]:
    """Yield the sound in blocks of ``(frames, channels)`` at 48 kHz.

    The sound begins at the film's first frame; where it starts later or has gaps, it is silent. The
    last block is shorter.
    channels: 1, 2 or 6. track: as in `probe`.
    Raises BadInput for a file that cannot be read or has no sound, MediaError when decoding fails.
    """
    with _opened(path) as container:
        sound = _sound(container, path, track)
        start = _start(_played(moving_pictures(container), sound), container)
        number = _number(sound, container)
    if sound is None:
        raise BadInput("there is no sound in it", where=path.name)
    with _decoder(path, number, start, rate=RATE, channels=channels) as ffmpeg:
        yield from map(_audible, read_blocks(ffmpeg.stdout, channels, frames))
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
    with _decoder(path, info.track, info.start, rate=rate, channels=1) as ffmpeg:
        samples = next(read_blocks(ffmpeg.stdout, 1, limit + 1), None)
        if samples is None or len(samples) <= limit:
            ffmpeg.finish(path.name)
    if samples is None:
        raise BadInput("the recording is empty", where=path.name)
    if len(samples) > limit:
        raise BadInput(f"the recording is longer than {max_seconds:g} s: cut it", where=path.name)
    return Audio(samples=_audible(samples)[:, 0].copy(), rate=rate)


def read_blocks(file: io.BufferedReader, channels: int, frames: int) -> Iterator[Samples]:
    """Yield raw float32 from ``file`` in blocks of ``(frames, channels)``, the last one shorter."""
    while True:
        block = np.empty((frames, channels), np.float32)
        got = file.readinto(block.data.cast("B")) // (4 * channels)
        if got:
            yield block[:got]
        if got < frames:
            return


def _audible(block: Samples) -> Samples:
    """Return a decoded block, silent where its samples are no sound.

    Sound in floats, and damaged AAC, may hold NaN, infinite and enormous samples. A single one
    would spoil every measurement, and so the gain of the whole film.
    """
    if peak(block) <= LOUDEST:
        return block
    return np.where(np.abs(block) <= LOUDEST, block, np.float32(0))


def _decoder(path: Path, track: int, start: float, *, rate: int, channels: int) -> FFmpeg:
    resample = f"aresample={rate}:ochl={LAYOUTS[channels]}:async=1:first_pts=0"
    sound = ["-map", f"0:a:{track}", "-af", resample, "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"]
    return FFmpeg([*source(path, delay=-start), *sound], stdout=subprocess.PIPE)


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    if not path.is_file():
        raise BadInput("there is no such file", where=path.name)
    if not path.stat().st_size:
        raise BadInput("the file is empty", where=path.name)
    try:
        check_whole(path)
        with av.open(f"file:{path}", options=SAFE, metadata_errors="replace") as container:
            yield container
    except PermissionError as exc:
        raise BadInput("it may not be read: change its permissions", where=path.name) from exc
    except (av.FFmpegError, ValueError) as exc:
        message = f"not a film or sound file that can be read, which are {', '.join(FORMATS)}"
        raise BadInput(message, where=path.name) from exc


def _sound(container: InputContainer, path: Path, track: str | None) -> AudioStream | None:
    sound = choose(container.streams.audio, track, path.name)
    if sound:
        _check_sound(sound, path)
    return sound


def _played(
    pictures: Sequence[VideoStream], sound: AudioStream | None
) -> list[VideoStream | AudioStream]:
    """Return the streams that a film is timed by: its first picture and its sound."""
    return [*pictures[:1], *([sound] if sound else [])]


def _number(sound: AudioStream | None, container: InputContainer) -> int:
    return container.streams.audio.index(sound) if sound else 0


def _start(streams: Sequence[VideoStream | AudioStream], container: InputContainer) -> float:
    for stream in streams:
        if stream.start_time is not None and stream.time_base is not None:
            return float(stream.start_time * stream.time_base)
    return (container.start_time or 0) / av.time_base


def _check_sound(stream: AudioStream, path: Path) -> None:
    if codec_of(stream) is None:
        raise BadInput(
            "its sound is in a codec that cannot be read: re-encode it, or choose another sound "
            "track, if there is one",
            where=path.name,
        )
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
    """Raise BadInput for an MP4 whose index points beyond the end of the file."""
    for stream in container.streams if container.format.name.startswith("mov") else ():
        if len(entries := stream.index_entries):
            check_claim(path, entries[-1].pos + entries[-1].size)
