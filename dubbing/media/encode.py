"""A mastered track into its outputs: sound files, and films whose pictures are left as they are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import langcodes

from dubbing.errors import BadInput
from dubbing.job import FILMS
from dubbing.media.ffmpeg import source
from dubbing.media.meter import Feed, Measured, Meter
from dubbing.media.probe import MediaInfo, probe
from dubbing.media.samples import Samples

_FILMS = {f".{container}" for container in FILMS}
_SOUND = {
    ".flac": ["-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24"],
    ".wav": ["-c:a", "pcm_s24le", "-rf64", "auto"],
    ".mp3": ["-c:a", "libmp3lame", "-b:a", "192k"],
    ".ogg": ["-c:a", "libopus"],
    ".m4a": ["-c:a", "aac", "-movflags", "+faststart"],
}
_AAC_BIT_RATES = {1: "128k", 2: "192k", 6: "384k"}
_MP3_CHANNELS = 2
_MP4_VIDEO = {"h264", "hevc", "av1", "vp9", "vvc", "mpeg4", "mpeg2video", "mpeg1video"}
_COPIED_SOUND = {
    ".mp4": {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"},
    ".mkv": {"aac", "mp2", "mp3", "ac3", "eac3", "dts", "alac", "opus", "flac", "vorbis"},
}
_SUBTITLES = {".mp4": "mov_text", ".mkv": "subrip"}


class Encoder:
    """Writes a mastered track into every output at once, and measures it on the way.

    The suffix of an output says what it is: sound alone in ``.flac .wav .mp3 .ogg .m4a``; in
    ``.mp4 .mkv`` every moving picture of ``film`` bit for bit, the track as the first and default
    sound, then what was asked of subtitles and original sound. The track's first frame is the
    film's first frame. MP3 has no more than two channels: more are mixed down.

    After the block, ``loudness`` is what was measured. An error in the block, or of ffmpeg, leaves
    no output behind.
    """

    loudness: Measured

    def __init__(
        self,
        outputs: Sequence[Path],
        *,
        channels: int,
        language: str,
        film: Path | None,
        subtitles: Path | None,
        original_sound: bool,
    ) -> None:
        """Check that the outputs can be made; nothing is started or written.

        channels: 1, 2 or 6. language: BCP 47. subtitles: an SRT file.
        Raises BadInput for a film without a picture, or whose picture MP4 cannot hold.
        """
        pictures = _Pictures(film, language, subtitles, original_sound) if film else None
        self._channels = channels
        self._commands: dict[Path, list[str]] = {}
        for path in outputs:
            if path.suffix not in _FILMS:
                self._commands[path] = _sound_only(path, channels, language)
            elif pictures:
                self._commands[path] = pictures.arguments(path, channels)
            else:
                raise BadInput("an MP4 or MKV needs a film", where=path.name)
        self._stack = ExitStack()
        self._feeds: list[Feed] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._meter = stack.enter_context(Meter(self._channels, peak=True))
            self._feeds.append(self._meter)
            for path, arguments in self._commands.items():
                target = [*arguments, f"file:{path}"]
                feed = stack.enter_context(Feed(path.name, self._channels, target))
                self._feeds.append(feed)
            self._stack = stack.pop_all()
        return self

    def write(self, block: Samples) -> None:
        """Append float32 ``(frames, channels)`` at 48 kHz; raises MediaError."""
        data = block.tobytes()
        for feed in self._feeds:
            feed.write(data)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ExitStack() as unless_finished:
            for path in self._commands:
                unless_finished.callback(path.unlink, missing_ok=True)
            with self._stack:
                if error is None:
                    self._finish()
                    unless_finished.pop_all()

    def _finish(self) -> None:
        for feed in self._feeds:
            feed.end()
        for feed in self._feeds:
            feed.finish()
        self.loudness = self._meter.loudness()


@dataclass(frozen=True)
class _Pictures:
    """What an MP4 or MKV holds beside the track."""

    film: Path
    language: str
    subtitles: Path | None
    original_sound: bool

    def arguments(self, path: Path, channels: int) -> list[str]:
        info = probe(self.film)
        check_picture(info, self.film, path.suffix[1:])
        inputs = source(self.film, delay=-info.start)
        tag = alpha3(self.language)
        dub = ["-map", "0:a", "-c:a:0", "aac", "-b:a:0", _AAC_BIT_RATES[channels]]
        dub += _tags("a:0", tag, "Dubbing", default=True)
        maps = ["-map", "1:V", "-c:v", "copy", *dub]
        if self.original_sound and info.channels:
            copied = info.audio_codec in _COPIED_SOUND[path.suffix]
            maps += ["-map", "1:a:0", "-c:a:1", "copy" if copied else "aac"]
            maps += ["-disposition:a:1", "0"]
        if self.subtitles:
            inputs += ["-f", "srt", "-i", f"file:{self.subtitles}"]
            maps += ["-map", "2:s", "-c:s", _SUBTITLES[path.suffix]]
            maps += _tags("s:0", tag, "Dubbing", default=False)
        front = ["-movflags", "+faststart"] if path.suffix == ".mp4" else []
        return [*inputs, *maps, "-map_metadata", "1", "-map_chapters", "1", *front]


def alpha3(language: str) -> str:
    """Return the ISO 639-2 code of a BCP 47 tag, as containers want it, or ``und``."""
    try:
        return langcodes.get(language).to_alpha3()
    except (LookupError, ValueError):
        return "und"


def _sound_only(path: Path, channels: int, language: str) -> list[str]:
    if path.suffix not in _SOUND:
        known = " ".join(sorted(_SOUND.keys() | _FILMS))
        raise BadInput(f"no such kind of output; there are {known}", where=path.name)
    arguments = ["-map", "0:a", *_SOUND[path.suffix]]
    if path.suffix == ".m4a":
        arguments += ["-b:a", _AAC_BIT_RATES[channels]]
    if path.suffix == ".mp3":
        arguments += ["-ac", str(min(channels, _MP3_CHANNELS))]
    return [*arguments, "-metadata:s:a:0", f"language={alpha3(language)}"]


def check_picture(info: MediaInfo, film: Path, container: str) -> None:
    """Raise BadInput unless the film's pictures can be copied into ``container``."""
    if not info.has_video:
        raise BadInput(f"there is no picture in it to put into {container}", where=film.name)
    if container == "mp4" and info.video_codec not in _MP4_VIDEO:
        raise BadInput(f"MP4 cannot hold {info.video_codec} video: ask for mkv", where=film.name)


def _tags(stream: str, language: str, title: str, *, default: bool) -> list[str]:
    names = [f"language={language}", f"title={title}", f"handler_name={title}"]
    tags = [part for name in names for part in (f"-metadata:s:{stream}", name)]
    return [*tags, f"-disposition:{stream}", "default" if default else "0"]
