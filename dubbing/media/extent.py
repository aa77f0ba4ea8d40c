"""How far a file's picture and sound reach, as their last packets tell.

What a container says of its length may be the length of old subtitles, or of what was cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from dubbing.errors import BadInput

_UNSEEKABLE = {"aac", "ac3", "eac3", "dts", "mp3", "amr"}
"""Formats without an index: a place in them, and their length, is guessed from the bit rate."""
_CLAIMING = {"aiff", "ape", "au", "flac", "flv", "gxf", "mxf", "rm", "tta", "wv"}
"""Formats whose header tells the length of picture and sound; others tell bytes, or nothing."""
_SHORT = 0.5
"""Seconds that a whole file may hold less than it claims."""
_TAILS = (10.0, 120.0)
"""Seconds before the claimed end from which the last packets are looked for, one after another."""


def end_of(
    container: InputContainer, streams: Sequence[VideoStream | AudioStream], name: str
) -> float:
    """Return the second, on the file's own clock, where the last of ``streams`` ends.

    name: the file's, for people. Only the last seconds are read of a file that has an index.
    Raises BadInput when there is nothing in it, or less than it claims.
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
    if _CLAIMING & names and claimed - end > _SHORT:
        raise BadInput(
            f"the file is cut short: {end - begin:.1f} of {claimed - begin:.1f} s are there: copy "
            "or write it anew",
            where=name,
        )
    return end


def _seek(container: InputContainer, seconds: float) -> None:
    # A container that cannot go there is read from where it stands.
    with suppress(av.FFmpegError):
        container.seek(int(seconds * av.time_base))


def _last(
    container: InputContainer, streams: Sequence[VideoStream | AudioStream], least: float
) -> float:
    """Return where the last packet ends that is still to be read; ``least`` when none is."""
    end = least
    # Packets after damage are not counted.
    with suppress(av.FFmpegError):
        for packet in container.demux(streams):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is not None and packet.time_base is not None and not packet.is_discard:
                end = max(end, float((stamp + (packet.duration or 0)) * packet.time_base))
    return end
