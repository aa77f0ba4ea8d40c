"""The ffmpeg process; no other module starts it.

ffmpeg gets local regular files only. It may open no playlist, concatenation or URL, whatever a
file's name or content.
"""

from __future__ import annotations

import errno
import io
import re
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self, cast

import imageio_ffmpeg

from dubbing.errors import FullDisk, MediaError

FORMATS = {
    "MP4, MOV, M4A, 3GP": "mov,mp4,m4a,3gp,3g2",
    "MKV, MKA, WebM": "matroska,webm",
    "AVI": "avi",
    "TS, M2TS": "mpegts",
    "MPG, VOB": "mpeg",
    "FLV": "flv",
    "WMV, WMA": "asf",
    "MXF": "mxf",
    "GXF": "gxf",
    "DV": "dv",
    "RM": "rm",
    "OGG, OGV, OPUS": "ogg",
    "WAV": "wav,w64",
    "FLAC": "flac",
    "MP3": "mp3",
    "AAC": "aac",
    "AC3": "ac3,eac3",
    "DTS": "dts",
    "AIFF": "aiff",
    "CAF": "caf",
    "AU": "au",
    "AMR": "amr",
    "WV": "wv",
    "APE": "ape",
    "TTA": "tta",
}
"""The input formats: common names and ffmpeg's names. Files of these formats are self-contained."""

SAFE = {"protocol_whitelist": "file,pipe", "format_whitelist": ",".join(FORMATS.values())}
"""Options that let ffmpeg open only files on this machine, in one of the `FORMATS`."""

_SPEAKER = re.compile(r"^\[[^]]* @ 0x[0-9a-f]+\] ")
"""The name of the ffmpeg component at the beginning of a message."""


class FFmpeg:
    """One running ffmpeg. Leaving the block ends it, finished or not.

    Its error output goes to a temporary file, so that no pipe has to be read meanwhile.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: IO[bytes] | int = subprocess.DEVNULL,
    ) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        quiet = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
        # Its own process group: Ctrl-C reaches only us, and we end it.
        self._process = subprocess.Popen(
            [imageio_ffmpeg.get_ffmpeg_exe(), *quiet, *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=self._complaints,
            process_group=0,
        )
        self.stdin = cast(io.BufferedWriter, self._process.stdin)
        """Its input, if requested as a pipe."""
        self.stdout = cast(io.BufferedReader, self._process.stdout)
        """Its output, if requested as a pipe."""

    def __enter__(self) -> Self:
        return self

    def finish(self, name: str, *, timeout: float | None = None) -> None:
        """Wait until ffmpeg has ended by itself.

        name: the file that it works on, for error messages.
        Raises MediaError with ffmpeg's last message when it failed, or after ``timeout`` seconds,
        and FullDisk.
        """
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise MediaError(f"{name}: ffmpeg has not finished in {timeout:.0f} s") from None
        # ffmpeg exits with the low byte of the negated error number.
        if code == 256 - errno.ENOSPC:
            raise FullDisk(f"{name}: no space is left on the disk")
        if code:
            raise MediaError(f"{name}: {self._last_line() or f'ffmpeg ended with {code}'}")

    def kill(self) -> None:
        """End ffmpeg at once."""
        self._process.kill()
        self._process.wait()

    def __exit__(self, *_: object) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._complaints.close()

    def _last_line(self) -> str:
        end = self._complaints.seek(0, 2)
        self._complaints.seek(max(0, end - 2000))
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return _SPEAKER.sub("", lines[-1]) if lines else ""


def source(path: Path, *, delay: float = 0.0) -> list[str]:
    """Return ffmpeg's arguments to read ``path`` with its own timestamps plus ``delay`` s."""
    guards = [part for key, value in SAFE.items() for part in (f"-{key}", value)]
    return [*guards, "-copyts", "-itsoffset", f"{delay:.6f}", "-i", f"file:{path}"]


def version() -> str:
    """Return ffmpeg's version line; raises MediaError when ffmpeg does not start."""
    executable = imageio_ffmpeg.get_ffmpeg_exe()
    try:
        answer = subprocess.run([executable, "-version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as exc:
        raise MediaError(f"ffmpeg does not start: {exc}") from exc
    return answer.stdout.decode(errors="replace").partition("\n")[0]
