"""The end of a file's picture and sound, from their last packets.

The length in a container's header may be that of old subtitles, or of a part that was cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from dubbing.errors import BadInput
from dubbing.job import LONGEST_PROGRAMME

_UNSEEKABLE = {"aac", "ac3", "eac3", "dts", "mp3", "amr"}
"""Formats without an index: positions in them and their length are guessed from the bit rate."""
_CLAIMING = {"aiff", "ape", "au", "flac", "flv", "gxf", "mxf", "rm", "tta", "wv"}
"""Formats whose header gives the length of picture and sound; others give bytes, or nothing."""
_COUNTING = {"aiff", "au", "flac", "wv"}
"""Those of them whose header counts the samples."""
_SHORT, _SHORT_COUNTED = 0.5, 0.02
"""Seconds by which a complete file may be shorter than it claims, and one whose samples are
counted."""
_LEAST = 32
"""Bytes of a file for each second that it lasts; hours of silence in the leanest codec take 80."""
_SHORT_FILM = 600.0
"""Seconds up to which a file may hold less than that."""
_TAILS = (10.0, 120.0)
"""Seconds before the claimed end from which the last packets are searched, tried in turn."""


def end_of(
    container: InputContainer, streams: Sequence[VideoStream | AudioStream], name: str
) -> float:
    """Return the time, in seconds on the file's own clock, where the last of ``streams`` ends.

    name: the file's name, for error messages. Of a file with an index, only the last seconds are
    read. Raises BadInput for a file that is empty or shorter than it claims.
    """
    names = set(container.format.name.split(","))
    begin = (container.start_time or 0) / av.time_base
    claimed = begin + (container.duration or 0) / av.time_base
    tails = () if _UNSEEKABLE & names else _TAILS
    end = begin
    for place in [*(claimed - tail for tail in tails if claimed - tail > begin), begin]:
        if end <= begin:
            _seek(container, place)
            end = _last(container, streams, begin)
    if end <= begin:
        raise BadInput("there is nothing in it", where=name)
    short = _SHORT_COUNTED if _COUNTING & names else _SHORT
    if _CLAIMING & names and claimed - end > short:
        raise BadInput(
            f"the file is cut short: {end - begin:.1f} of {claimed - begin:.1f} s are there: copy "
            "or create it again",
            where=name,
        )
    return end


def check_length(seconds: float, size: int, name: str) -> None:
    """Raise BadInput for a file of ``size`` bytes that is too long, or cannot be that long.

    A few packets with late times make a small file last for hours; its dub would fill a disk.
    """
    if seconds > LONGEST_PROGRAMME:
        raise BadInput(
            f"it lasts {seconds / 3600:.1f} hours, more than {LONGEST_PROGRAMME / 3600:.0f}: cut "
            "it, or repair its time stamps",
            where=name,
        )
    if seconds > _SHORT_FILM and size < seconds * _LEAST:
        raise BadInput(
            f"it claims to last {seconds / 3600:.1f} hours, but holds {size:,} bytes: repair its "
            "time stamps, or create it again",
            where=name,
        )


def _seek(container: InputContainer, seconds: float) -> None:
    # A container that cannot seek is read from its current position.
    with suppress(av.FFmpegError):
        container.seek(int(seconds * av.time_base))


def _last(
    container: InputContainer, streams: Sequence[VideoStream | AudioStream], least: float
) -> float:
    """Return the end of the last packet from here on, or ``least`` without packets."""
    end = least
    # Packets after damage are not counted.
    with suppress(av.FFmpegError):
        for packet in container.demux(streams):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is not None and packet.time_base is not None and not packet.is_discard:
                end = max(end, float((stamp + (packet.duration or 0)) * packet.time_base))
    return end
