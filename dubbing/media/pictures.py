"""Copying of a film's pictures into an MP4 or MKV beside the new sound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import langcodes

from dubbing.errors import BadInput, FullDisk, MediaError
from dubbing.media.covers import MIME_TYPES
from dubbing.media.ffmpeg import FFmpeg, source
from dubbing.media.frames import in_order, timed
from dubbing.media.probe import MediaInfo
from dubbing.media.scratch import scratch

AAC_BIT_RATES = {1: "128k", 2: "192k", 6: "384k"}
"""AAC bit rates by the number of channels."""

_MP4_VIDEO = {"h264", "hevc", "av1", "vp9", "vvc", "mpeg4", "mpeg2video", "mpeg1video"}
_MP4_TAGS = {"hevc": "hvc1"}
"""Codec tags that replace ffmpeg's: QuickTime does not play ``hev1``."""
_COPIED_SOUND = {
    "mp4": {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"},
    "mkv": {
        *("aac", "mp2", "mp3", "ac3", "eac3", "dts", "alac", "opus", "flac", "vorbis", "truehd"),
        *("pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"),
    },
}
_SUBTITLES = {"mp4": "mov_text", "mkv": "subrip"}
"""Codec of text in subtitles that a container does not hold as it is."""
_TEXTS = {"ass", "mov_text", "subrip", "webvtt"}
_COPIED_SUBTITLES = {
    "mp4": {"mov_text"},
    "mkv": {"ass", "dvd_subtitle", "hdmv_pgs_subtitle", "subrip", "webvtt"},
}
_TRIAL, _LONG_TRIAL = 1, 10
"""Seconds of a film that are copied on trial; the longer trial is for films with untimed frames."""
_TRIAL_TIMEOUT = 120.0


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The content of an MP4 or MKV beside the new sound."""

    film: Path
    info: MediaInfo
    language: str
    """BCP 47 tag of the new sound."""
    subtitles: Path | None
    """An SRT file."""
    original_sound: bool
    """Whether to keep the track that the new sound replaces."""
    kept_tracks: bool = True
    """Whether to keep the film's other sound tracks and its subtitles, as far as the container
    holds them."""
    cover: Path | None = None
    """An image that players show for the file, from `covers.write_cover`."""

    def arguments(self, container: str, channels: int) -> list[str]:
        """Return ffmpeg's arguments for a film; input 0 is the new sound with ``channels``.

        Raises BadInput for a film without a picture, or with one that MP4 cannot hold.
        """
        self.check(container)
        guess = [] if self._timed else ["-fflags", "+genpts"]
        inputs = [*guess, *source(self.film, delay=-self.info.start)]
        tag = alpha3(self.language)
        dub = ["-map", "0:a", "-c:a:0", "aac", "-b:a:0", AAC_BIT_RATES[channels]]
        dub += _tags("a:0", tag, "Dubbing", "default+dub")
        maps = ["-map", "1:V", "-c:v", "copy", *self._video_tags(container), *dub]
        maps += self._own_sound(container)
        if self.subtitles:
            inputs += ["-f", "srt", "-i", f"file:{self.subtitles}"]
            maps += ["-map", "2:s", "-c:s:0", _SUBTITLES[container]]
            maps += _tags("s:0", tag, "Dubbing", "0")
        if self.kept_tracks:
            maps += self._own_subtitles(container, first=1 if self.subtitles else 0)
        if container == "mkv":
            # Fonts of the subtitles.
            maps += ["-map", "1:t?", "-c:t", "copy"]
        if self.cover and container == "mkv":
            maps += _attached(self.cover)
        elif self.cover:
            inputs += ["-f", "image2", "-pattern_type", "none", "-i", f"file:{self.cover}"]
            maps += ["-map", "3:v" if self.subtitles else "2:v"]
            maps += [f"-disposition:v:{len(self.info.video_codecs)}", "attached_pic"]
        front = ["-movflags", "+faststart"] if container == "mp4" else []
        return [*inputs, *maps, "-map_metadata", "1", "-map_chapters", "1", *front]

    def check(self, container: str) -> None:
        """Raise BadInput unless there is a picture that ``container`` can hold."""
        if not self.info.has_video:
            raise self._refused(f"there is no picture in it to put into {container}")
        for codec in self.info.video_codecs if container == "mp4" else ():
            if codec not in _MP4_VIDEO:
                raise self._refused(f"MP4 cannot hold {codec} video: ask for mkv")

    def try_copy(self, container: str) -> None:
        """Raise BadInput unless the first seconds can be copied to ``container`` and play there.

        Raises FullDisk without room for the trial.
        """
        self.check(container)
        seconds = _TRIAL if self._timed else _LONG_TRIAL
        silence = ["-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo"]
        # Other tracks may begin late, and ffmpeg would read the film up to their beginning.
        picture = replace(self, original_sound=False, subtitles=None, kept_tracks=False)
        alone = picture.arguments(container, 2)
        with scratch() as folder:
            copy = folder / f"trial.{container}"
            arguments = [*silence, *alone, "-t", str(seconds), f"file:{copy}"]
            try:
                with FFmpeg(arguments) as ffmpeg:
                    ffmpeg.finish(container, timeout=_TRIAL_TIMEOUT)
            except FullDisk as exc:
                raise FullDisk(
                    f"{self.film.name}: no space is left to copy its first seconds on trial: make "
                    "room, or set TMPDIR to a larger disk"
                ) from exc
            except MediaError as exc:
                other = "mkv" if container == "mp4" else "sound alone, such as flac"
                raise self._refused(
                    f"its picture cannot be copied: {exc}: ask for {other}"
                ) from exc
            if not self._timed and not in_order(copy):
                raise self._refused(
                    f"its {self.info.video_codec} picture cannot be copied, as the file does not "
                    "tell when its frames are shown: re-encode the picture, or ask for sound "
                    "alone, such as flac"
                )

    @cached_property
    def _timed(self) -> bool:
        return timed(self.film)

    def _own_sound(self, container: str) -> list[str]:
        """Return what keeps the film's sound tracks after the new sound; none is the default."""
        codecs = self.info.sound_codecs
        replaced = [self.info.track] if self.original_sound and self.info.channels else []
        others = [n for n, codec in enumerate(codecs) if codec and n != self.info.track]
        kept = [*replaced, *(others if self.kept_tracks else [])]
        return [
            part
            for to, n in enumerate(kept, 1)
            for part in (
                *("-map", f"1:a:{n}"),
                *(f"-c:a:{to}", "copy" if codecs[n] in _COPIED_SOUND[container] else "aac"),
                *(f"-disposition:a:{to}", "-default"),
            )
        ]

    def _own_subtitles(self, container: str, *, first: int) -> list[str]:
        """Return what keeps the film's subtitles, from the output's subtitles ``first`` on.

        None is shown by default: they are in the language that the dub replaces.
        """
        copied = dict.fromkeys(_COPIED_SUBTITLES[container], "copy")
        codecs = dict.fromkeys(_TEXTS, _SUBTITLES[container]) | copied
        kept = [(n, codec) for n, codec in enumerate(self.info.subtitle_codecs) if codec in codecs]
        end = f"{self.info.seconds:.3f}"
        # Subtitles that begin or end after the film would make it longer.
        within = rf"noise=drop=gte(pts*tb\,{end}),setts=duration=min(DURATION\,{end}/TB-PTS)"
        return [
            part
            for to, (n, codec) in enumerate(kept, first)
            for part in (
                *("-map", f"1:s:{n}", f"-c:s:{to}", codecs[codec]),
                *(f"-disposition:s:{to}", "-default"),
                *(f"-bsf:s:{to}", within),
            )
        ]

    def _video_tags(self, container: str) -> list[str]:
        tags = _MP4_TAGS if container == "mp4" else {}
        return [
            part
            for n, codec in enumerate(self.info.video_codecs)
            if codec in tags
            for part in (f"-tag:v:{n}", tags[codec])
        ]

    def _refused(self, message: str) -> BadInput:
        return BadInput(message, where=self.film.name)


def alpha3(language: str) -> str:
    """Return the ISO 639-2 code of a BCP 47 tag, as containers require, or ``und``."""
    try:
        return langcodes.get(language).to_alpha3()
    except (LookupError, ValueError):
        return "und"


def _attached(cover: Path) -> list[str]:
    mime_type = f"mimetype={MIME_TYPES[cover.suffix]}"
    return ["-attach", str(cover), f"-metadata:s:m:filename:{cover.name}", mime_type]


def _tags(stream: str, language: str, title: str, disposition: str) -> list[str]:
    names = [f"language={language}", f"title={title}", f"handler_name={title}"]
    tags = [part for name in names for part in (f"-metadata:s:{stream}", name)]
    return [*tags, f"-disposition:{stream}", disposition]
