"""Recordings that voices are made from: how they are prepared, judged and refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from recordings import clipped, noisy, silence, speech, write
from scenes import ffmpeg
from services import unavailable

from dubbing.errors import BadInput
from dubbing.media.samples import Audio, level
from dubbing.voices import speaker_encoder as listener
from dubbing.voices.reference import LARGEST, RATE, doubts_of, prepare, record

CLEAN = 60.0
"""Decibels of speech over noise in a recording without noise."""


def sound(samples: np.ndarray) -> Audio:
    return Audio(samples=samples.astype(np.float32), rate=RATE)


@pytest.mark.parametrize("container", ["wav", "mp3", "flac", "m4a"])
def test_a_recording_is_read_by_what_it_is_and_not_by_its_name(
    tmp_path: Path, container: str
) -> None:
    prepared = prepare(write(tmp_path / "ada.txt", speech(), container))
    assert prepared.audio.rate == RATE
    assert prepared.audio.seconds == pytest.approx(speech().seconds, abs=0.2)
    assert prepared.judgement.speech == pytest.approx(prepared.audio.seconds, rel=0.15)
    assert prepared.judgement.snr == CLEAN
    assert prepared.judgement.clipped == 0


def test_a_text_that_is_named_like_a_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ada.wav").write_text("I am Ada, and this is my voice.")
    with pytest.raises(BadInput, match=r"ada\.wav: not a film or sound file"):
        prepare(tmp_path / "ada.wav")


def test_what_a_film_says_makes_a_voice(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    wav = write(tmp_path / "ada.wav", speech())
    picture = ("-f", "lavfi", "-i", "testsrc=s=64x36:r=5:d=10")
    ffmpeg(*picture, "-i", wav, "-c:v", "mpeg4", "-c:a", "aac", film)
    assert prepare(film).audio.seconds == pytest.approx(speech().seconds, abs=0.2)


def test_silence_around_speech_goes_and_long_pauses_shrink(tmp_path: Path) -> None:
    said = speech(text="You told me the ship would leave before dawn.").samples
    pause = silence(3)
    long = sound(np.concatenate([pause, said, pause, said, pause]))
    prepared = prepare(write(tmp_path / "ada.wav", long))
    assert prepared.audio.seconds == pytest.approx(2 * len(said) / RATE + 1.0, abs=0.3)
    assert prepared.judgement.snr == CLEAN


def test_every_recording_is_made_as_loud_as_the_next(tmp_path: Path) -> None:
    quiet, loud = sound(speech().samples * 0.02), sound(speech().samples * 1.9)
    levels = [
        level(prepare(write(tmp_path / f"{n}.wav", heard)).audio.samples)
        for n, heard in enumerate([quiet, loud])
    ]
    assert levels[0] == pytest.approx(levels[1], abs=1)
    assert levels[0] == pytest.approx(-20, abs=2)


@pytest.mark.parametrize("voice", ["m3", "Annie"])
@pytest.mark.parametrize("snr", [17, 25, 35])
def test_the_noise_under_speech_is_told_to_some_decibels(
    tmp_path: Path, voice: str, snr: float
) -> None:
    prepared = prepare(write(tmp_path / "ada.wav", noisy(speech(voice), snr)))
    assert prepared.judgement.snr == pytest.approx(snr, abs=3)


def test_a_recording_with_some_noise_serves_with_a_caution(tmp_path: Path) -> None:
    path = write(tmp_path / "ada.wav", noisy(speech(), 17))
    (doubt,) = doubts_of(record([path]).voice)
    assert "dB of speech over noise" in doubt
    assert doubts_of(record([write(path, noisy(speech(), 35))]).voice) == []


@pytest.mark.parametrize("voice", ["m3", "Annie"])
@pytest.mark.parametrize(
    "options",
    [
        ("-ar", "8000", "-c:a", "pcm_mulaw", "-f", "wav"),
        ("-ar", "8000", "-c:a", "pcm_alaw", "-f", "wav"),
        ("-ar", "8000", "-f", "amr"),
        ("-af", "aresample=8000,aresample=44100", "-f", "flac"),
    ],
    ids=["µ-law", "A-law", "AMR", "sampled up again"],
)
def test_a_telephones_recording_serves_with_a_caution(
    tmp_path: Path, voice: str, options: tuple[str, ...]
) -> None:
    plain = write(tmp_path / "plain.wav", noisy(speech(voice), 30))
    call = tmp_path / "call"
    ffmpeg("-i", plain, "-ac", "1", *options, call)
    (doubt,) = doubts_of(record([call]).voice)
    assert doubt.startswith("it holds no sound above 4 kHz")
    assert doubt in doubts_of(record([plain, call]).voice), "one of two is enough"


@pytest.mark.parametrize("voice", ["m3", "Annie"])
@pytest.mark.parametrize(
    "options",
    [
        ("-ar", "11025", "-f", "wav"),
        ("-ar", "16000", "-f", "wav"),
        ("-ar", "16000", "-b:a", "16k", "-f", "mp3"),
        ("-c:a", "libopus", "-b:a", "12k", "-f", "ogg"),
    ],
    ids=["11 kHz", "16 kHz", "MP3", "Opus"],
)
def test_a_recording_that_is_only_small_is_not_doubted(
    tmp_path: Path, voice: str, options: tuple[str, ...]
) -> None:
    small = tmp_path / "small"
    ffmpeg("-i", write(tmp_path / "plain.wav", speech(voice)), *options, small)
    assert doubts_of(record([small]).voice) == []


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        (lambda: noisy(speech(), 8), r"\d+ dB of speech over noise, and 15 are needed.*quiet room"),
        (lambda: sound(silence(5)), r"0 s of speech are heard in it"),
        (
            lambda: sound(np.sin(np.arange(5 * RATE) / 10) / 2),
            r"0\.\d+ s of speech are heard in it",
        ),
        (lambda: noisy(sound(silence(5) + 0.1), 0), r"0 dB of speech over noise"),
        (
            lambda: clipped(speech(), 6),
            r"\d+\.\d% of the samples are clipped, and at most 1%.*lower level",
        ),
    ],
    ids=["noise", "silence", "a tone", "noise alone", "clipping"],
)
def test_a_recording_that_cannot_serve_is_refused_in_figures(
    tmp_path: Path, heard: Callable[[], Audio], words: str
) -> None:
    with pytest.raises(BadInput, match=rf"^ada\.wav: {words}"):
        prepare(write(tmp_path / "ada.wav", heard()))


def test_a_voice_needs_a_second_of_speech_in_all_its_recordings(tmp_path: Path) -> None:
    short = write(tmp_path / "ada.wav", sound(speech().samples[: round(0.8 * RATE)]))
    with pytest.raises(BadInput, match=r"^ada\.wav: 0\.\d s of speech .* 1 s or more"):
        record([short])
    assert record([short, short]).voice.seconds > 1


@pytest.mark.parametrize("container", ["wav", "mp3", "m4a"])
def test_clipping_is_heard_through_an_encoder(tmp_path: Path, container: str) -> None:
    with pytest.raises(BadInput, match="clipped"):
        prepare(write(tmp_path / "ada.wav", clipped(speech("Annie"), 4), container))
    full = prepare(write(tmp_path / "ada.wav", clipped(speech("Annie"), 1), container))
    assert full.judgement.clipped < 0.0005


def test_recordings_are_joined_in_their_order_and_judged_by_the_worst(tmp_path: Path) -> None:
    low = write(tmp_path / "low.wav", speech("m3"))
    high = write(tmp_path / "high.mp3", noisy(speech("Annie"), 30), "mp3")
    both = record([low, high])
    parts = [prepare(low).audio.samples, prepare(high).audio.samples]
    assert np.array_equal(both.audio.samples, np.concatenate(parts))
    assert both.voice.seconds == both.audio.seconds
    assert both.voice.provenance == ("low.wav", "high.mp3")
    assert both.voice.judgement
    assert both.voice.judgement.snr == prepare(high).judgement.snr
    assert record([high, low]).voice.digest != both.voice.digest


def test_more_than_one_speaker_is_told_where_there_is_an_encoder(tmp_path: Path) -> None:
    if not listener.available():
        unavailable("the speaker encoder")
    for alone in ("m3", "Annie"):
        path = write(tmp_path / "alone.wav", speech(alone))
        assert doubts_of(record([path]).voice) == []
    other = write(tmp_path / "other.wav", speech("m3"))
    (doubt,) = doubts_of(record([path, other]).voice)
    assert "more than one person seems to speak" in doubt


def test_a_file_of_more_than_50_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "ada.wav"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1_000_000)
    with pytest.raises(BadInput, match=r"ada\.wav: the file has 51 MB, and at most 50 are read"):
        prepare(path)


def test_a_voice_is_what_it_is_made_of_and_what_may_be_told_of_it(tmp_path: Path) -> None:
    path = write(tmp_path / "ada.wav", speech())
    digest = record([path]).voice.digest
    assert record([path]).voice.digest == digest
    others = [
        record([path], transcript="You told me").voice.digest,
        record([path], language="en").voice.digest,
        record([path], consent="en").voice.digest,
        record([path, path]).voice.digest,
    ]
    assert len({digest, *others}) == 5
