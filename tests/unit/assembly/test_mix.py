from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from meters import loudness

from dubbing.assembly.background import FADE
from dubbing.assembly.balance import Balance
from dubbing.assembly.mix import (
    BLOCK,
    FADE_IN,
    FADE_OUT,
    RATE,
    RENDERED,
    Mixer,
    PlacedClip,
    mix,
    stretch,
)
from dubbing.errors import BadInput, ClipUnreadable
from dubbing.media.samples import Audio, Samples, encode_flac, level
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
    key: str, start: float, *, stretched: float = 1.0, loudness: float = -20.0, name: str = "1"
) -> PlacedClip:
    return PlacedClip(
        id=name, key=key, start=round(start * RATE), stretch=stretched, loudness=loudness
    )


def programme(storage: Storage, clips: list[PlacedClip], seconds: float) -> Samples:
    return np.concatenate(list(Mixer(storage, clips, frames=round(seconds * RATE)).blocks()))


def onset(samples: Samples) -> int:
    """Return the index of the first audible sample."""
    magnitude = np.abs(samples)
    return int(np.flatnonzero(magnitude > 0.1 * magnitude.max())[0])


def test_a_clip_starts_at_its_sample_wherever_the_blocks_part(storage: Storage) -> None:
    key = store(storage, "a", tone(1.5, RATE))
    alone = programme(storage, [clip(key, 0)], 1.5)
    starts = [0.0, 9.99, 20.0, 29.2507]
    mixed = programme(storage, [clip(key, start) for start in starts], 31)
    expected = np.zeros((31 * RATE, 1), np.float32)
    for start in starts:
        first = round(start * RATE)
        expected[first : first + len(alone)] += alone
    np.testing.assert_allclose(mixed, expected, atol=1e-6)


def test_a_clip_is_changed_in_its_loudness_and_at_its_edges_alone(storage: Storage) -> None:
    audio = tone(1.5, RATE)
    mixed = programme(storage, [clip(store(storage, "a", audio), 0)], 1.5)[:, 0]
    inner = slice(round(FADE_IN * RATE), -round(FADE_OUT * RATE))
    factor = 10 ** ((-20 - loudness(audio.samples, RATE)) / 20)
    np.testing.assert_allclose(mixed[inner], audio.samples[inner] * factor, atol=0.003)


@pytest.mark.parametrize("rate", [16_000, 48_000])
@pytest.mark.parametrize("stretched", [1.0, 1.1])
def test_no_edge_of_a_clip_clicks(storage: Storage, rate: int, stretched: float) -> None:
    time = np.arange(rate) / rate
    audio = Audio(samples=(0.5 * np.cos(2 * np.pi * 100 * time)).astype(np.float32), rate=rate)
    key = store(storage, "a", audio)
    steps = np.abs(np.diff(programme(storage, [clip(key, 1, stretched=stretched)], 3)[:, 0]))
    inside = steps[round(1.2 * RATE) : round(1.6 * RATE)].max()
    assert steps.max() < 1.5 * inside, "it begins and ends at its crest"


def test_clips_that_overlap_are_summed(storage: Storage) -> None:
    key = store(storage, "a", tone(2, RATE))
    alone = programme(storage, [clip(key, 0)], 2)
    both = programme(storage, [clip(key, 0), clip(key, 0, loudness=-26.02)], 2)
    np.testing.assert_allclose(both, alone * 1.5, atol=1e-4)


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


def test_a_clip_sounds_without_its_cuts(storage: Storage) -> None:
    audio = tone(2.0, RATE)
    audio.samples[round(0.5 * RATE) : RATE] = 0
    placed = replace(clip(store(storage, "a", audio), 1), cuts=((0.6, 0.9),))
    mixed = programme(storage, [placed], 4)[:, 0]
    shorter = np.concatenate(
        [audio.samples[: round(0.6 * RATE)], audio.samples[round(0.9 * RATE) :]]
    )
    # But for its loudness, and the fades at its edges.
    inner = slice(round(FADE_IN * RATE), len(shorter) - round(FADE_OUT * RATE))
    heard, asked = mixed[RATE:][inner], shorter[inner]
    louder = np.abs(heard).max() / np.abs(asked).max()
    np.testing.assert_allclose(heard, asked * louder, atol=1e-4)
    assert not mixed[RATE + len(shorter) :].any()


def test_stretching_is_the_same_every_time() -> None:
    np.testing.assert_array_equal(stretch(tone(1.0), 1.1), stretch(tone(1.0), 1.1))


def gains(seconds: float, **values: float) -> Balance:
    lowered = np.full(round(seconds * 10) + 1, values.get("lowered", 0.0), np.float32)
    return Balance(
        speech=values.get("speech", 0.0),
        background=values.get("background", 0.0),
        lowered=lowered,
        distances=np.zeros(0, np.float32),
    )


@pytest.mark.parametrize(("channels", "speaking"), [(1, [0]), (2, [0, 1]), (6, [2])])
def test_speech_is_in_the_centre_or_else_in_front(channels: int, speaking: list[int]) -> None:
    said = [np.full((RATE, 1), 0.25, np.float32)]
    (mixed,) = mix(said, [], gains(1, speech=6.0206), channels=channels)
    assert np.flatnonzero(np.abs(mixed).max(axis=0) > 0.1).tolist() == speaking
    assert mixed[:, speaking] == pytest.approx(0.5, abs=1e-4)


def test_the_background_is_added_at_its_gain_as_long_as_it_lasts() -> None:
    bed = [np.full((BLOCK, 2), 0.1, np.float32), np.full((7, 2), 0.2, np.float32)]
    said = [np.zeros((BLOCK, 1), np.float32)] * 3
    mixed = np.concatenate(list(mix(said, bed, gains(15, background=6.0206), channels=2)))
    assert len(mixed) == 3 * BLOCK
    assert mixed[:BLOCK] == pytest.approx(0.2, abs=1e-4)
    assert mixed[BLOCK : BLOCK + 7] == pytest.approx(0.4, abs=1e-4)
    assert not mixed[BLOCK + 7 :].any()


def test_a_missing_line_is_heard_as_it_is_though_the_background_is_lowered() -> None:
    bed = [np.ones((BLOCK, 1), np.float32)] * 2
    said = [np.zeros((BLOCK, 1), np.float32)] * 2
    lowered = gains(10, lowered=12)
    mixed = np.concatenate(list(mix(said, bed, lowered, channels=1, unchanged=[(4.0, 6.0)])))[:, 0]
    down = 10 ** (-12 / 20)
    assert (mixed[4 * RATE : 6 * RATE + 1] == 1).all()
    assert mixed[: round((4 - FADE) * RATE)] == pytest.approx(down, abs=1e-4)
    assert mixed[round((6 + FADE) * RATE) + 1 :] == pytest.approx(down, abs=1e-4)
    assert np.abs(np.diff(mixed)).max() < np.log(10) * 12 / 20 / (FADE * RATE) * 1.05


def test_each_line_is_brought_to_its_loudness(storage: Storage) -> None:
    key, short = store(storage, "a", tone(2.0)), store(storage, "b", tone(0.3))
    silent = store(storage, "c", Audio(samples=np.zeros(24_000, np.float32), rate=24_000))
    clips = [
        clip(key, 1, loudness=-30, stretched=1.1),
        clip(short, 5, loudness=-30, name="2"),
        clip(silent, 5, name="3"),
    ]
    mixer = Mixer(storage, clips, frames=6 * RATE)
    mixed = np.concatenate(list(mixer.blocks()))[:, 0]
    assert loudness(mixed[RATE : RATE + round(2 / 1.1 * RATE)], RATE) == pytest.approx(-30, abs=0.3)
    assert level(mixed[5 * RATE : round(5.3 * RATE)]) == pytest.approx(-30, abs=0.3), "too short"
    assert mixer.loudness == {"1": -30, "2": None, "3": None}


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
    mixer = Mixer(storage, [clip(key, n) for n in range(300)], frames=300 * RATE)
    blocks = mixer.blocks()
    next(blocks)
    blocks.close()
    assert 1 <= len(mixer.loudness) <= 1 + RENDERED


def test_memory_does_not_grow_with_the_programme(storage: Storage) -> None:
    key = store(storage, "a", tone(3.0))

    def peak(minutes: int) -> int:
        clips = [clip(key, 4.0 * n) for n in range(15 * minutes)]
        tracemalloc.start()
        for _ in Mixer(storage, clips, frames=60 * minutes * RATE).blocks():
            pass
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    peak(1)
    # Clips fetched ahead make the peak vary; if it grew with the programme, it would triple.
    assert peak(12) < peak(4) * 2
