"""The tracks of a film: its moving pictures, and the choice of its sound track."""

from __future__ import annotations

from collections.abc import Sequence

import langcodes
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from dubbing.errors import BadInput


def moving_pictures(container: InputContainer) -> list[VideoStream]:
    """Return the video tracks that are not covers."""
    tracks = container.streams.video
    return [track for track in tracks if not track.disposition & Disposition.attached_pic]


def choose(tracks: Sequence[AudioStream], wanted: str | None, name: str) -> AudioStream | None:
    """Return the ``wanted`` track; None when the film has no sound and no track is wanted.

    wanted: a track's number, counted from 1, or its language. Among several matches, the first one
    that the film marks as default is taken, else the first.
    name: the file's name, for error messages. Raises BadInput that lists the tracks when there is
    no such track.
    """
    if wanted is None:
        return _default(tracks)
    if wanted.isdecimal():
        found = tracks[int(wanted) - 1 : int(wanted)] if int(wanted) else []
    else:
        found = [track for track in tracks if _speaks(track, wanted)]
    if not found:
        there = "; ".join(_described(n, track) for n, track in enumerate(tracks, 1))
        raise BadInput(
            f"there is no sound track {wanted!r}: {there or 'the file has no sound'}", where=name
        )
    return _default(found)


def codec_of(stream: AudioStream | VideoStream | SubtitleStream) -> str | None:
    """Return the name of a stream's codec, such as ``aac``; None without a decoder for it."""
    # A stream that PyAV cannot decode has no context, whatever PyAV's types say.
    context: object = stream.codec_context
    return stream.codec.canonical_name if context else None


def language(track: AudioStream) -> str | None:
    """Return the language tag of ``track``, or None."""
    return None if track.language in {None, "", "und"} else track.language


def _default(tracks: Sequence[AudioStream]) -> AudioStream | None:
    marked = (track for track in tracks if track.disposition & Disposition.default)
    return next(marked, next(iter(tracks), None))


def _speaks(track: AudioStream, wanted: str) -> bool:
    tagged = language(track)
    return tagged is not None and _code(tagged) == _code(wanted)


def _code(tag: str) -> str:
    """Return one code for all tags of a language: ``de`` for ``ger``, ``deu`` and ``de-AT``."""
    try:
        return langcodes.get(tag).language or tag
    except ValueError:
        return tag.casefold()


def _described(number: int, track: AudioStream) -> str:
    codec = codec_of(track)
    words = [f"{codec}, {track.channels} channels" if codec else "an unknown codec"]
    words += [found] if (found := language(track)) else []
    words += [repr(title)] if (title := track.metadata.get("title")) else []
    return f"{number} is {', '.join(words)}"
