"""Presentation times of a film's frames."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import av

from dubbing.media.ffmpeg import SAFE
from dubbing.media.tracks import codec_of, moving_pictures

LOOKED_AT = 250
"""Frames examined, from the beginning of a film."""
MOST_WRONG = 0.05
"""Share of these frames that may be out of order."""

_GENERATE_TIMES = 1
"""ffmpeg's flag to guess presentation times; PyAV sets it."""


def timed(film: Path) -> bool:
    """Return whether the presentation times of the film's frames are known.

    Some containers, such as AVI, only give the decoding order. It is also the presentation order
    when no frame is predicted from a later one.
    """
    with av.open(f"file:{film}", options=SAFE, metadata_errors="replace") as container:
        container.flags &= ~_GENERATE_TIMES
        picture = moving_pictures(container)[0]
        if codec_of(picture) is None or not picture.codec_context.has_b_frames:
            return True
        packets = islice(container.demux(picture), LOOKED_AT)
        return all(packet.pts is not None for packet in packets if packet.size)


def in_order(film: Path) -> bool:
    """Return whether the film's first frames are shown in the right order.

    A wrong guess misplaces about every third frame. MPEG streams themselves misplace a single one.
    """
    with av.open(f"file:{film}", options=SAFE, metadata_errors="replace") as container:
        try:
            shown = [frame.pts for frame in islice(container.decode(video=0), LOOKED_AT)]
        except av.FFmpegError:
            return False
    wrong = sum(
        earlier is None or later is None or earlier >= later for earlier, later in pairwise(shown)
    )
    return wrong <= MOST_WRONG * len(shown)
