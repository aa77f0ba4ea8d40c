from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from meters import loudness

from dubbing.assembly.mix import BLOCK, RATE, RENDERED, Mixer, PlacedClip, stretch
from dubbing.errors import BadInput, ClipUnreadable
from dubbing.media.samples import Audio, Samples, encode_flac
from dubbing.planning.clip import digest_of
from dubbing.storage import Storage
from dubbing.storage.keys import Keys


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path))


def tone(seconds: float, rate: int = 24_000, *, level: float = 0.25) -> Audio:
    """Return a voice-like tone that begins and ends abruptly."""
    time = np.arange(round(seconds * rate)) / rate
    sound = sum(np.sin(2 * np.pi * 150 * k * time + k) / k for k in range(1, 12))
    return Audio(samples=(sound * level / 2).astype(np.float32), rate=rate)


def store(storage: Storage, name: str, audio: Audio) -> str:
    storage.create(Keys.clip(name), encode_flac(audio))
    return Keys.clip(name)


def clip(
    key: str, start: float, *, stretched: float = 1.0, gain: float = 1.0, name: str = "1"
) -> PlacedClip:
    return PlacedClip(id=name, key=key, start=round(start * RATE), stretch=stretched, gain=gain)


def programme(
    storage: Storage, clips: list[PlacedClip], seconds: float, channels: int = 1
) -> Samples:
    mixer = Mixer(storage, clips, frames=round(seconds * RATE), channels=channels)
    return np.concatenate(list(mixer.blocks()))


def onset(samples: Samples) -> int:
    """Return the index of the first audible sample."""
    magnitude = np.abs(samples)
    return int(np.flatnonzero(magnitude > 0.1 * magnitude.max())[0])


def test_a_clip_starts_at_its_sample_wherever_the_blocks_part(storage: Storage) -> None:
    audio = tone(1.5, RATE)
    key = store(storage, "a", audio)
    starts = [0.0, 9.99, 20.0, 29.2507]
    mixed = programme(storage, [clip(key, start) for start in starts], 31)[:, 0]
    expected = np.zeros(31 * RATE, np.float32)
    for start in starts:
        first = round(start * RATE)
        expected[first : first + len(audio.samples)] += audio.samples
    np.testing.assert_allclose(mixed, expected, atol=1e-4)


def test_clips_that_overlap_are_summed(storage: Storage) -> None:
    key = store(storage, "a", tone(2, RATE))
    alone = programme(storage, [clip(key, 0)], 2)
    both = programme(storage, [clip(key, 0), clip(key, 0, gain=0.5)], 2)
    np.testing.assert_allclose(both, alone * 1.5, atol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100])
def test_a_clip_of_another_rate_keeps_its_place_and_length(storage: Storage, rate: int) -> None:
    key = store(storage, "a", tone(1.0, rate))
    mixed = programme(storage, [clip(key, 5)], 10)[:, 0]
    assert onset(mixed) == pytest.approx(5 * RATE, abs=0.001 * RATE)
    assert np.flatnonzero(np.abs(mixed) > 0.01)[-1] == pytest.approx(6 * RATE, abs=0.002 * RATE)


@pytest.mark.parametrize("factor", [0.95, 1.02, 1.1, 1.25, 1.5])
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
def test_a_stretched_clip_has_its_length_and_starts_within_two_milliseconds(
    factor: float, rate: int
) -> None:
    audio = tone(2.0, rate)
    stretched = stretch(audio, factor)
    assert len(stretched) == pytest.approx(len(audio.samples) / factor, abs=1)
    assert onset(stretched) == pytest.approx(onset(audio.samples), abs=0.002 * rate)


def test_a_stretched_clip_keeps_its_pitch() -> None:
    audio = tone(2.0)
    for samples in (audio.samples, stretch(audio, 1.25)):
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        assert spectrum.argmax() * audio.rate / len(samples) == pytest.approx(150, abs=2)


def test_stretching_is_the_same_every_time() -> None:
    np.testing.assert_array_equal(stretch(tone(1.0), 1.1), stretch(tone(1.0), 1.1))


@pytest.mark.parametrize(("channels", "speaking"), [(1, [0]), (2, [0, 1]), (6, [2])])
def test_speech_is_in_the_centre_or_else_in_front(
    storage: Storage, channels: int, speaking: list[int]
) -> None:
    key = store(storage, "a", tone(1.0))
    mixed = programme(storage, [clip(key, 0)], 1, channels)
    assert np.flatnonzero(np.abs(mixed).max(axis=0) > 0.1).tolist() == speaking


def test_the_background_is_added_as_long_as_it_lasts(storage: Storage) -> None:
    bed: Iterator[Samples] = iter(
        [np.full((BLOCK, 2), 0.1, np.float32), np.full((7, 2), 0.2, np.float32)]
    )
    mixed = np.concatenate(list(Mixer(storage, [], frames=3 * BLOCK, channels=2).blocks(bed)))
    assert len(mixed) == 3 * BLOCK
    assert (mixed[:BLOCK] == np.float32(0.1)).all()
    assert (mixed[BLOCK : BLOCK + 7] == np.float32(0.2)).all()
    assert not mixed[BLOCK + 7 :].any()


def test_the_loudness_of_each_line_is_measured_as_it_sounds(storage: Storage) -> None:
    key, short = store(storage, "a", tone(2.0)), store(storage, "b", tone(0.3))
    clips = [clip(key, 1, gain=0.5, stretched=1.1), clip(short, 5, name="2")]
    mixer = Mixer(storage, clips, frames=6 * RATE, channels=1)
    mixed = np.concatenate(list(mixer.blocks()))[RATE : RATE + round(2 / 1.1 * RATE), 0]
    measured = loudness(mixed, RATE)
    assert mixer.loudness["1"] == pytest.approx(measured, abs=0.2)
    assert mixer.loudness["2"] is None


def test_every_unreadable_clip_is_named(storage: Storage) -> None:
    good = store(storage, "good", tone(1.0))
    data = storage.get(good)
    storage.create("clips/cut.flac", data[: len(data) // 2])
    storage.create("clips/noise.flac", b"no sound at all")
    keys = [good, "clips/cut.flac", good, "clips/gone.flac", good, "clips/noise.flac"]
    clips = [clip(key, 1.0 * n, name=f"line-{n}") for n, key in enumerate(keys)]
    with pytest.raises(ClipUnreadable) as raised:
        programme(storage, clips, 10)
    assert raised.value.segments == ("line-1", "line-3", "line-5")


def test_a_clip_that_is_not_the_one_that_was_spoken_is_unreadable(storage: Storage) -> None:
    keys = [store(storage, name, tone(0.5, level=n / 10)) for n, name in enumerate("abcd", 1)]
    digests = [digest_of(storage.get(key)) for key in keys]
    # Two clips change places; one result is of a release that wrote no digest.
    one, two = storage.get(keys[1]), storage.get(keys[2])
    storage.replace(keys[1], two)
    storage.replace(keys[2], one)
    digests[3] = ""
    clips = [
        replace(clip(key, 1.0 * n, name=f"line-{n}"), digest=digest)
        for n, (key, digest) in enumerate(zip(keys, digests, strict=True))
    ]
    with pytest.raises(ClipUnreadable) as raised:
        programme(storage, clips, 5)
    assert raised.value.segments == ("line-1", "line-2")
    assert raised.value.found == {"line-1": digests[2], "line-2": digests[1]}
    assert programme(storage, [clips[0], clips[3]], 5).any()


def test_clips_behind_a_link_that_leads_out_of_storage_are_not_taken_for_lost(
    tmp_path: Path,
) -> None:
    storage = Storage.at(str(tmp_path / "storage"))
    key = store(storage, "a", tone(1.0))
    moved = (tmp_path / "storage" / "clips").rename(tmp_path / "clips")
    (tmp_path / "storage" / "clips").symlink_to(moved)
    with pytest.raises(BadInput, match="leads out of it"):
        programme(storage, [clip(key, 0)], 1)


def test_a_mix_that_is_given_up_leaves_no_thread_at_work(storage: Storage) -> None:
    key = store(storage, "a", tone(1.0))
    mixer = Mixer(storage, [clip(key, n) for n in range(300)], frames=300 * RATE, channels=1)
    blocks = mixer.blocks()
    next(blocks)
    blocks.close()
    assert 1 <= len(mixer.loudness) <= 1 + RENDERED


def test_memory_does_not_grow_with_the_programme(storage: Storage) -> None:
    key = store(storage, "a", tone(3.0))

    def peak(minutes: int) -> int:
        clips = [clip(key, 4.0 * n) for n in range(15 * minutes)]
        tracemalloc.start()
        for _ in Mixer(storage, clips, frames=60 * minutes * RATE, channels=2).blocks():
            pass
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    peak(1)
    # Clips fetched ahead make the peak vary; if it grew with the programme, it would triple.
    assert peak(12) < peak(4) * 2
