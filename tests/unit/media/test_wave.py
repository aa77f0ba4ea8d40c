"""Broadcast Wave, read by another library."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dubbing.media.wave import Wave

HOUR = 3600 * 48_000


def written(path: Path, channels: int = 1) -> np.ndarray:
    """Write a second of noise in blocks of any size; return it."""
    noise = np.random.default_rng(1).uniform(-1, 1, (48_000, channels)).astype(np.float32)
    with Wave(path, channels=channels, description="Ada \N{SNOWMAN}", start=HOUR) as wave:
        for block in np.split(noise, [1, 700]):
            wave.write(block)
    return noise


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_sample_comes_back(tmp_path: Path, channels: int) -> None:
    noise = written(tmp_path / "a.wav", channels)
    read, rate = soundfile.read(tmp_path / "a.wav", always_2d=True)
    assert (rate, read.shape) == (48_000, noise.shape)
    np.testing.assert_array_equal(read, noise)


def test_it_says_when_it_begins_and_what_it_is(tmp_path: Path) -> None:
    written(tmp_path / "a.wav")
    data = (tmp_path / "a.wav").read_bytes()
    chunk = data[data.index(b"bext") + 8 :]
    assert chunk[:256].rstrip(b"\0") == b"Ada ?"
    # Behind the description, the originator, its reference, a date and a time (EBU Tech 3285).
    low, high = struct.unpack_from("<II", chunk, 256 + 32 + 32 + 10 + 8)
    assert low + (high << 32) == HOUR


def test_a_sound_above_full_scale_is_not_clipped(tmp_path: Path) -> None:
    with Wave(tmp_path / "a.wav", channels=1, description="") as wave:
        wave.write(np.array([[1.5], [-1.5]], np.float32))
    assert soundfile.read(tmp_path / "a.wav")[0].tolist() == [1.5, -1.5]


def test_an_error_leaves_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyError),
        Wave(tmp_path / "a.wav", channels=1, description="") as wave,
    ):
        wave.write(np.zeros((9, 1), np.float32))
        raise KeyError
    assert list(tmp_path.iterdir()) == []
