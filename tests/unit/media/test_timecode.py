"""Timecodes, as ffmpeg writes them into films."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from dubbing.media.timecode import begins_at

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def film(path: Path, rate: str, *options: str) -> Path:
    picture = ("-f", "lavfi", "-i", f"color=s=16x16:r={rate}:d=0.2")
    command = [FFMPEG, "-loglevel", "error", *picture, *options, path]
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize(
    ("rate", "timecode", "seconds"),
    [
        ("25", "01:00:00:12", 3600.48),
        ("30000/1001", "00:01:00;02", 60.06),
        ("24000/1001", "10:00:00:00", 36036),
    ],
)
def test_a_film_begins_when_its_timecode_says(
    tmp_path: Path, suffix: str, rate: str, timecode: str, seconds: float
) -> None:
    tag = ("-metadata", f"timecode={timecode}") if suffix == ".mkv" else ("-timecode", timecode)
    path = film(tmp_path / f"film{suffix}", rate, *tag)
    assert begins_at(path) == round(seconds * 48_000)


def test_a_film_from_matroska_keeps_its_timecode_though_its_rate_is_not_exact(
    tmp_path: Path,
) -> None:
    matroska = film(tmp_path / "film.mkv", "24000/1001", "-metadata", "timecode=10:00:00:00")
    subprocess.run([FFMPEG, "-i", matroska, "-c", "copy", tmp_path / "film.mp4"], check=True)
    assert begins_at(tmp_path / "film.mp4") == 36036 * 48_000


def test_the_samples_of_a_drop_frame_timecode_are_counted_back_as_its_frames(
    tmp_path: Path,
) -> None:
    path = film(tmp_path / "film.mp4", "30000/1001", "-timecode", "01:00:00;00")
    frames = begins_at(path) / 48_000 * 30000 / 1001
    assert int(frames) == 107_892


def test_a_broadcast_wave_begins_at_its_time_reference(tmp_path: Path) -> None:
    path = tmp_path / "scene.wav"
    told = ("-write_bext", "1", "-metadata", "time_reference=158760000")
    sound = ("-f", "lavfi", "-i", "sine=d=0.1:r=44100")
    subprocess.run([FFMPEG, *sound, *told, path], check=True)
    assert begins_at(path) == 3600 * 48_000


@pytest.mark.parametrize("told", ["25:61", "99:99:99:99"])
def test_a_film_without_a_readable_one_begins_at_zero(tmp_path: Path, told: str) -> None:
    assert begins_at(film(tmp_path / "plain.mp4", "25")) == 0
    assert begins_at(film(tmp_path / "odd.mkv", "25", "-metadata", f"timecode={told}")) == 0
