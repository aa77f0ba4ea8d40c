"""The cover of a film: an image beside its tracks, which players show for the file."""

from __future__ import annotations

from pathlib import Path

import av
from av.stream import Disposition

from dubbing.media.ffmpeg import SAFE
from dubbing.media.tracks import codec_of

MIME_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}
"""MIME types of covers, by suffix."""
_SUFFIXES = {"mjpeg": ".jpg", "png": ".png"}


def write_cover(film: Path, folder: Path) -> Path | None:
    """Write the film's first cover into the folder and return its path.

    Returns None without a cover that can be read: a damaged one would keep ffmpeg from writing the
    film.

    film: a file that `media.probe` accepts.
    """
    with av.open(f"file:{film}", options=SAFE, metadata_errors="replace") as container:
        for track in container.streams.video:
            suffix = _SUFFIXES.get(codec_of(track) or "")
            if suffix and track.width and track.disposition & Disposition.attached_pic:
                path = folder / f"cover{suffix}"
                # The demuxer hands out covers before everything else.
                path.write_bytes(bytes(next(container.demux(track))))
                return path
    return None
