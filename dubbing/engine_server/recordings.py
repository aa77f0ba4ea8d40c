"""Recordings that callers send: judged and prepared like those of `dubbing voices`, or not."""

from __future__ import annotations

import tempfile
from pathlib import Path

from dubbing.errors import BadInput
from dubbing.media.samples import Audio, decode_exact
from dubbing.voices.reference import prepare


def recording_of(data: bytes, *, as_is: bool) -> Audio:
    """Return a recording as mono speech; raises BadInput for one that no voice can be made from.

    data: a file of any format that ffmpeg reads; a mono WAV or FLAC file where it is taken as it
    is. as_is: whether it was judged and prepared already.
    """
    try:
        return decode_exact(data) if as_is else _prepared(data)
    except BadInput as exc:
        # The path of a copy says nothing to the caller.
        raise BadInput(exc.message, where="file") from exc


def _prepared(data: bytes) -> Audio:
    with tempfile.TemporaryDirectory(prefix="dubbing-") as folder:
        path = Path(folder) / "recording"
        path.write_bytes(data)
        return prepare(path).audio
