"""Timecodes, as ffmpeg writes them into films."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from dubbing.media.timecode import begins_at


def film(path: Path, rate: str, *options: str) -> Path:
    picture = ("-f", "lavfi", "-i", f"color=s=16x16:r={rate}:d=0.2")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *picture, *options, path]
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize(
    ("rate", "timecode", "seconds"),
    [("25", "01:00:00:12", 3600.48), ("30000/1001", "00:01:00;02", 60.06)],
)
def test_a_film_begins_when_its_timecode_says(
    tmp_path: Path, suffix: str, rate: str, timecode: str, seconds: float
) -> None:
    tag = ("-metadata", f"timecode={timecode}") if suffix == ".mkv" else ("-timecode", timecode)
    path = film(tmp_path / f"film{suffix}", rate, *tag)
    assert begins_at(path) == round(seconds * 48_000)


@pytest.mark.parametrize("told", ["25:61", "99:99:99:99"])
def test_a_film_without_a_readable_one_begins_at_zero(tmp_path: Path, told: str) -> None:
    assert begins_at(film(tmp_path / "plain.mp4", "25")) == 0
    assert begins_at(film(tmp_path / "odd.mkv", "25", "-metadata", f"timecode={told}")) == 0
