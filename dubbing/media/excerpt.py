"""A stretch of a film's original sound, without a look at the rest of the film.

The packets of the stretch are copied into a small file, and ffmpeg decodes that one: so it makes no
difference how long the film is, or where it lies.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import IO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from dubbing.errors import BadInput, MediaError
from dubbing.media.ffmpeg import SAFE, FFmpeg, source
from dubbing.media.probe import RATE, read_blocks
from dubbing.media.samples import Audio
from dubbing.media.scratch import scratch
from dubbing.media.tracks import choose, moving_pictures

EARLIER = 1.0
"""Seconds that are read before a stretch: decoders need some, and seeking is not exact."""


def excerpt(
    film: IO[bytes], name: str, *, start: float, seconds: float, track: str | None = None
) -> Audio:
    """Return a stretch of the sound, mono at 48 kHz; where there is none, it is silent.

    start: seconds from the film's first frame. track: as in `media.probe`. name: the film's, for
    errors. Raises BadInput for a film without sound, and MediaError when it cannot be read.
    """
    with scratch() as folder:
        part = folder / "part.mka"
        try:
            with av.open(film, "r", options=SAFE, metadata_errors="replace") as container:
                sound = choose(container.streams.audio, track, name)
                if sound is None:
                    raise BadInput("there is no sound in it", where=name)
                begin = _first(container, sound) + start
                _copy(container, sound, part, begin, begin + seconds)
        except (av.FFmpegError, ValueError) as exc:
            raise MediaError(f"{name}: a part of its sound cannot be read: {exc}") from exc
        return _decoded(part, begin, seconds)


def _first(container: InputContainer, sound: AudioStream) -> float:
    """Return the time of the film's first frame on its own clock."""
    for stream in (*moving_pictures(container)[:1], sound):
        if stream.start_time is not None and stream.time_base is not None:
            return float(stream.start_time * stream.time_base)
    return 0.0


def _copy(
    container: InputContainer, sound: AudioStream, part: Path, begin: float, end: float
) -> None:
    container.seek(max(0, int((begin - EARLIER) * av.time_base)))
    with av.open(str(part), "w", format="matroska") as into:
        copied = into.add_stream_from_template(sound)
        for packet in container.demux(sound):
            if packet.pts is None or packet.time_base is None or packet.pts < 0:
                continue
            at = float(packet.pts * packet.time_base)
            if at >= end:
                return
            if at >= begin - EARLIER:
                packet.stream = copied
                into.mux(packet)


def _decoded(part: Path, begin: float, seconds: float) -> Audio:
    frames = round(seconds * RATE)
    resample = f"aresample={RATE}:ochl=mono:async=1:first_pts=0,apad=whole_len={frames}"
    sound = ["-map", "0:a:0", "-af", resample, "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"]
    with FFmpeg([*source(part, delay=-begin), *sound], stdout=subprocess.PIPE) as ffmpeg:
        samples = next(read_blocks(ffmpeg.stdout, 1, frames), None)
        if samples is None:
            ffmpeg.finish(part.name)
            raise MediaError("this part of the film has no sound")
    return Audio(samples=samples[:, 0].copy(), rate=RATE)
