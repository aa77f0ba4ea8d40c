"""Small films of every kind, written by ffmpeg, and the frames in them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import av
from scenes import ffmpeg

CASES = Path(__file__).parent / "cases"
"""Films that users had problems with."""
SECONDS = 6.0
WHITE = [1.0, 1.04, 1.08, 1.12, 1.16, 5.0, 5.04, 5.08, 5.12, 5.16]
"""When the white frames of `flashes` are shown, in seconds."""
FILMS: dict[str, tuple[str, ...]] = {
    "mp4": ("-c:v", "libx264", "-c:a", "aac"),
    "mov": ("-c:v", "libx264", "-c:a", "pcm_s16le"),
    "3gp": ("-c:v", "libx264", "-c:a", "aac"),
    "mkv": ("-c:v", "libx264", "-c:a", "aac"),
    "webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"),
    "avi": ("-c:v", "mpeg4", "-bf", "0", "-c:a", "pcm_s16le"),
    "ts": ("-c:v", "libx264", "-c:a", "aac"),
    "m2ts": ("-c:v", "libx264", "-c:a", "ac3"),
    "mpg": ("-c:v", "mpeg2video", "-c:a", "mp2"),
    "vob": ("-c:v", "mpeg2video", "-c:a", "ac3"),
    "flv": ("-c:v", "libx264", "-c:a", "aac"),
    "wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
    "mxf": ("-c:v", "mpeg2video", "-c:a", "pcm_s16le"),
    "ogv": ("-c:v", "libtheora", "-c:a", "libvorbis"),
    "rm": ("-c:v", "rv20", "-c:a", "ac3"),
    "dv": ("-c:v", "dvvideo", "-s", "720x576", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le"),
}
SOUNDS: dict[str, tuple[str, ...]] = {
    "wav": (),
    "w64": (),
    "flac": (),
    "mp3": (),
    "m4a": (),
    "mka": ("-c:a", "aac"),
    "ogg": ("-c:a", "libvorbis"),
    "opus": (),
    "aac": (),
    "ac3": (),
    "dts": ("-strict", "-2"),
    "aiff": (),
    "caf": (),
    "au": (),
    "amr": ("-ar", "8000", "-ac", "1"),
    "wma": (),
    "wv": (),
    "tta": (),
}


def make(path: Path, *options: str, sound: float = SECONDS, picture: float = SECONDS) -> Path:
    """Write a film, or a sound file for a suffix in `SOUNDS`, with the given seconds of each."""
    path.write_bytes(_film(path.suffix, options, sound, picture))
    return path


@cache
def _film(suffix: str, options: tuple[str, ...], sound: float, picture: float) -> bytes:
    """Return a film that several tests of a process may use."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"film{suffix}"
        _write(path, *options, sound=sound, picture=picture)
        return path.read_bytes()


def _write(path: Path, *options: str, sound: float, picture: float) -> None:
    suffix = path.suffix[1:]
    tone = f"sine=440:sample_rate=48000:duration={sound},pan=stereo|c0=c0|c1=c0"
    hum = ("-f", "lavfi", "-i", tone)
    if suffix in SOUNDS:
        ffmpeg(*hum, *SOUNDS[suffix], *options, path)
    else:
        ffmpeg(*flashes(picture), *hum, "-g", "50", *FILMS[suffix], *options, path)


def flashes(seconds: float = SECONDS) -> list[str]:
    """Return ffmpeg's input for a black picture that is white for five frames every 4 s."""
    white = "drawbox=color=white:t=fill:enable='between(mod(n,100),25,29)'"
    return ["-f", "lavfi", "-i", f"color=black:size=128x96:rate=25:duration={seconds},{white}"]


def white_frames(path: Path) -> list[float]:
    """Return when white frames are shown, in seconds, in the order of decoding."""
    with av.open(str(path)) as container:
        return [
            round(frame.time or 0, 3)
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray").mean() > 150
        ]


def tracks(path: Path, sounds: Sequence[tuple[int, str]], *options: str) -> Path:
    """Write a film with one sound track for each pitch, in Hz, and language."""
    path.write_bytes(_tracks(path.suffix, tuple(sounds), options))
    return path


@cache
def _tracks(suffix: str, sounds: tuple[tuple[int, str], ...], options: tuple[str, ...]) -> bytes:
    inputs, maps = flashes(), ["-map", "0:v"]
    for n, (pitch, language) in enumerate(sounds):
        inputs += ["-f", "lavfi", "-i", f"sine={pitch}:sample_rate=48000:duration={SECONDS}"]
        maps += ["-map", f"{n + 1}:a", f"-metadata:s:a:{n}", f"language={language}"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"film{suffix}"
        ffmpeg(*inputs, *maps, *FILMS[suffix[1:]], *options, path)
        return path.read_bytes()


def bytes_read() -> int:
    """Return the bytes read so far by this process and the processes that it has waited for."""
    return int(Path("/proc/self/io").read_text().split()[1])
