"""Clips: judged, trimmed, stored and read back."""

from __future__ import annotations

import numpy as np
import pytest

from dubbing.errors import BadInput, SpeechRejected
from dubbing.media.samples import Audio, Samples, decode_clip, encode_flac, judge, level, trim

RATE = 24_000


def tone(seconds: float, amplitude: float = 0.5) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * 220 * time)).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def audio(*parts: Samples) -> Audio:
    return Audio(samples=np.concatenate(parts), rate=RATE)


def test_a_plausible_line_is_accepted() -> None:
    judge(audio(silence(0.1), tone(1.0)), longest=2.0)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (silence(0), "no sound"),
        (np.append(tone(1.0), np.float32(np.nan)), "NaN"),
        (np.append(np.float32(np.nan), tone(1.0)), "NaN"),
        (np.append(tone(1.0), np.float32(np.inf)), "infinite"),
        (np.append(tone(1.0), np.float32(-np.inf)), "infinite"),
        (silence(1.0), "silence"),
        (tone(1.0, amplitude=0.0005), "silence"),
        (tone(2.1), r"2\.1 s"),
    ],
)
def test_what_is_not_the_line_is_refused(samples: Samples, reason: str) -> None:
    with pytest.raises(SpeechRejected, match=reason):
        judge(Audio(samples=samples, rate=RATE), longest=2.0)


def test_silence_at_both_ends_is_trimmed_and_the_pause_within_is_kept() -> None:
    line = audio(silence(0.7), tone(0.5), silence(0.4), tone(0.5), silence(1.1))
    trimmed = trim(line)
    assert trimmed.seconds == pytest.approx(1.4, abs=0.01)
    assert trimmed.rate == RATE
    first = np.flatnonzero(np.abs(trimmed.samples) > 0.01)[0]
    assert first / RATE < 0.01


def test_no_onset_is_cut_by_trimming() -> None:
    line = audio(silence(0.5), tone(0.5), silence(0.5))
    sounding = line.samples[np.flatnonzero(line.samples)[0] : np.flatnonzero(line.samples)[-1] + 1]
    trimmed = trim(line).samples
    start = np.flatnonzero(trimmed)[0]
    np.testing.assert_array_equal(trimmed[start : start + len(sounding)], sounding)


def test_a_line_that_is_loudest_below_zero_is_trimmed_by_that() -> None:
    click = np.array([0.001, 0.001, -0.9, 0.5], np.float32)
    line = audio(np.repeat(click, 100), silence(0.5))
    assert trim(line).seconds == pytest.approx(200 / RATE + 2 * 0.003, abs=0.0001)


def test_sound_without_silence_is_left_whole() -> None:
    line = audio(tone(0.5))
    assert trim(line).seconds == pytest.approx(0.5, abs=0.001)


def test_level_is_rms_in_dbfs() -> None:
    assert level(tone(1.0)) == pytest.approx(-9.03, abs=0.05)
    assert level(silence(1.0)) == -np.inf


def test_a_clip_comes_back_from_flac() -> None:
    line = audio(tone(1.234))
    back = decode_clip(encode_flac(line))
    assert back.rate == RATE
    assert back.samples.dtype == np.float32
    assert len(back.samples) == len(line.samples)
    np.testing.assert_allclose(back.samples, line.samples, atol=1 / 32768)


def test_a_clip_under_the_name_of_another_is_refused() -> None:
    named = encode_flac(audio(tone(0.1)), "clips/aa/one.flac")
    assert decode_clip(named, "clips/aa/one.flac").seconds == decode_clip(named).seconds
    with pytest.raises(BadInput, match=r"two\.flac: this is another clip, clips/aa/one\.flac"):
        decode_clip(named, "clips/bb/two.flac")
    assert decode_clip(encode_flac(audio(tone(0.1))), "clips/bb/two.flac").seconds > 0


def test_a_clip_beyond_full_scale_is_clipped_not_wrapped() -> None:
    back = decode_clip(encode_flac(audio(tone(0.1, amplitude=1.5))))
    assert np.abs(back.samples - np.clip(tone(0.1, amplitude=1.5), -1, 1)).max() < 0.001


def damaged(clip: bytes) -> dict[str, bytes]:
    middle = len(clip) // 2
    return {
        "empty": b"",
        "cut short": clip[:middle],
        "cut in its head": clip[:20],
        "overwritten in the middle": clip[:middle] + bytes(200) + clip[middle + 200 :],
        "another thing": b"<html>Service unavailable</html>",
    }


@pytest.mark.parametrize("kind", damaged(b""))
def test_a_damaged_clip_is_refused(kind: str) -> None:
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, RATE).astype(np.float32)
    clip = encode_flac(Audio(samples=noise, rate=RATE))
    with pytest.raises(BadInput, match="clip"):
        decode_clip(damaged(clip)[kind])


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_one_flipped_bit_is_noticed(share: float) -> None:
    clip = bytearray(encode_flac(audio(tone(1.0))))
    clip[int(len(clip) * share)] ^= 4
    with pytest.raises(BadInput, match="clip"):
        decode_clip(bytes(clip))
