from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from meters import loudness

from dubbing.errors import MediaError
from dubbing.media.loudness import gated, windows
from dubbing.media.probe import RATE
from dubbing.media.recorder import Recorder
from dubbing.media.samples import Samples


def noise(channels: int, seconds: float) -> Samples:
    source = np.random.default_rng(channels)
    return (source.standard_normal((round(seconds * RATE), channels)) * 0.1).astype(np.float32)


def test_a_track_comes_back_sample_for_sample(tmp_path: Path) -> None:
    track = noise(2, 2.55)
    with Recorder(tmp_path / "raw", channels=2) as recorder:
        for first in range(0, len(track), 9600):
            recorder.write(track[first : first + 9600])
    blocks = list(recorder.read(RATE))
    assert [len(block) for block in blocks] == [RATE, RATE, round(0.55 * RATE)]
    np.testing.assert_array_equal(np.concatenate(blocks), track)
    assert len(recorder.powers) == 25, "whole tenths of a second"


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_track_is_measured_as_the_standard_says(tmp_path: Path, channels: int) -> None:
    track = noise(channels, 6)
    track[3 * RATE :] *= 0.5
    # pyloudnorm takes five channels, without LFE.
    expected = loudness(track[:, [0, 1, 2, 4, 5]] if channels == 6 else track, RATE)
    with Recorder(tmp_path / "raw", channels=channels) as recorder:
        for first in range(0, len(track), RATE):
            recorder.write(track[first : first + RATE])
    assert gated(windows(recorder.powers)) == pytest.approx(expected, abs=0.1)


def test_a_full_disk_stops_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.symlink_to("/dev/full")
    with (
        pytest.raises(MediaError, match=r"raw: No space left"),
        Recorder(path, channels=2) as recorder,
    ):
        recorder.write(noise(2, 0.01))
