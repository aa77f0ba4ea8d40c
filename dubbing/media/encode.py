"""Encoding of a mastered track into sound files, and into films with their pictures copied."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from dubbing.errors import BadInput
from dubbing.job import FILMS
from dubbing.media.meter import Feed, Measured, Meter
from dubbing.media.pictures import AAC_BIT_RATES, Pictures, alpha3
from dubbing.media.probe import probe
from dubbing.media.samples import Samples

_FILMS = {f".{container}" for container in FILMS}
_SOUND = {
    ".flac": ["-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24"],
    ".wav": ["-c:a", "pcm_s24le", "-rf64", "auto"],
    ".mp3": ["-c:a", "libmp3lame", "-b:a", "192k"],
    ".ogg": ["-c:a", "libopus"],
    ".m4a": ["-c:a", "aac", "-movflags", "+faststart"],
}
_MP3_CHANNELS = 2


class Encoder:
    """Writes a mastered track into all outputs at once, and measures it on the way.

    The suffix of an output decides its content: ``.flac .wav .mp3 .ogg .m4a`` hold sound alone;
    ``.mp4 .mkv`` hold every moving picture of ``film`` bit for bit, the track as the first and
    default sound, then the original sound and subtitles if requested, and the film's other sound
    tracks, subtitles and cover. The track's first frame is the film's first frame. MP3 has at most
    two channels; more are mixed down.

    After the block, ``loudness`` holds the measurement. An error in the block, or of ffmpeg, leaves
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
        track: str | None = None,
        cover: Path | None = None,
    ) -> None:
        """Check that the outputs can be made; nothing is started or written.

        channels: 1, 2 or 6. language: BCP 47. subtitles: an SRT file. track: the film's original
        sound track, as in `media.probe`. cover: an image, from `covers.write_cover`.
        Raises BadInput for a film without a picture, or with one that MP4 cannot hold.
        """
        pictures = (
            Pictures(
                film=film,
                info=probe(film, track=track),
                language=language,
                subtitles=subtitles,
                original_sound=original_sound,
                cover=cover,
            )
            if film
            else None
        )
        self._channels = channels
        self._commands: dict[Path, list[str]] = {}
        for path in outputs:
            if path.suffix not in _FILMS:
                self._commands[path] = _sound_only(path, channels, language)
            elif pictures:
                self._commands[path] = pictures.arguments(path.suffix[1:], channels)
            else:
                raise BadInput("an MP4 or MKV needs a film", where=path.name)
        self._stack = ExitStack()
        self._feeds: list[Feed] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._meter = stack.enter_context(Meter(self._channels))
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

    def __exit__(self, kind: object, *_: object) -> None:
        with ExitStack() as unless_finished:
            for path in self._commands:
                unless_finished.callback(path.unlink, missing_ok=True)
            with self._stack:
                if kind is None:
                    self._finish()
                    unless_finished.pop_all()

    def _finish(self) -> None:
        for feed in self._feeds:
            feed.end()
        for feed in self._feeds:
            feed.finish()
        self.loudness = self._meter.loudness()


def _sound_only(path: Path, channels: int, language: str) -> list[str]:
    if path.suffix not in _SOUND:
        known = " ".join(sorted(_SOUND.keys() | _FILMS))
        raise BadInput(f"no such kind of output; there are {known}", where=path.name)
    arguments = ["-map", "0:a", *_SOUND[path.suffix]]
    if path.suffix == ".m4a":
        arguments += ["-b:a", AAC_BIT_RATES[channels]]
    if path.suffix == ".mp3":
        arguments += ["-ac", str(min(channels, _MP3_CHANNELS))]
    return [*arguments, "-metadata:s:a:0", f"language={alpha3(language)}"]
