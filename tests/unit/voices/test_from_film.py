"""Voices from the film: which stretches are cut out, and the voices made from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from recordings import RATE, silence, speech
from speech import pitch

from dubbing.errors import BadInput
from dubbing.job import Segment
from dubbing.voices import from_film as source_voice
from dubbing.voices.from_film import LONGEST, cut_voices, spans

SAID = (
    "You told me the ship would leave before dawn.",
    "I never said that I would stay here with you.",
    "What did you expect of me then?",
    "There was nothing in the letter but your name.",
)
LOW, HIGH = "m3", "Annie"
BOUNDS = (2.0, 30.0)


class Film:
    """A film's sound: lines with their times, and noise under them."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self._samples = silence(60)
        self._end = 0.5

    def say(
        self, speaker: str, voice: str, text: str, *, at: float | None = None, noise: float = 0
    ) -> Segment:
        """Add a line, after all lines so far or at a given time, with noise under it."""
        said = speech(voice, text).samples
        start = self._end if at is None else at
        first = round(start * RATE)
        rustle = np.random.default_rng(first).standard_normal(len(said)) * noise
        self._samples[first : first + len(said)] += said + rustle.astype(np.float32)
        end = start + len(said) / RATE
        segment = Segment(
            id=str(len(self.segments)), start=start, end=end, speaker=speaker, text=text
        )
        self.segments.append(segment)
        self._end = max(self._end, end + 0.5)
        return segment

    def write(self, path: Path) -> Path:
        soundfile.write(path, soxr.resample(self._samples, RATE, 44_100), 44_100)
        return path


@pytest.fixture
def film() -> Film:
    film = Film()
    for text in SAID:
        film.say("Bob", LOW, text)
        film.say("Ada", HIGH, text)
    return film


def test_each_speaker_gets_the_voice_that_they_have_in_the_film(film: Film, tmp_path: Path) -> None:
    path = film.write(tmp_path / "film.wav")
    voices = cut_voices(path, film.segments, {"Ada": BOUNDS, "Bob": BOUNDS}, "media/ab")
    assert pitch(voices["Bob"].audio) == pytest.approx(pitch(speech(LOW)), rel=0.1)
    assert pitch(voices["Ada"].audio) == pytest.approx(pitch(speech(HIGH)), rel=0.1)
    ada = voices["Ada"].voice
    assert ada.provenance == ("source: media/ab, speaker Ada",)
    assert ada.judgement
    assert ada.judgement.snr > 20
    said = sum(s.end - s.start for s in film.segments if s.speaker == "Ada")
    assert ada.seconds == voices["Ada"].audio.seconds == pytest.approx(said, rel=0.1)


def test_the_same_film_and_cues_give_the_same_voice(film: Film, tmp_path: Path) -> None:
    path = film.write(tmp_path / "film.wav")
    once = cut_voices(path, film.segments, {"Ada": BOUNDS}, "a")["Ada"]
    again = cut_voices(path, film.segments[::-1], {"Bob": BOUNDS, "Ada": BOUNDS}, "b")["Ada"]
    assert once.voice.digest == again.voice.digest
    fewer = cut_voices(path, film.segments[:4], {"Ada": BOUNDS}, "a")["Ada"]
    assert fewer.voice.digest != once.voice.digest


def test_cues_that_another_speaker_speaks_into_are_left_out(film: Film) -> None:
    assert len(spans(film.segments, ["Ada"])) == 4
    second = film.segments[3]
    film.say("Eve", HIGH, "No!", at=second.end - 0.1)
    alone = spans(film.segments, ["Ada", "Bob"])
    assert len([span for span in alone if span.speaker == "Ada"]) == 3
    assert len([span for span in alone if span.speaker == "Bob"]) == 4
    assert round(second.start * source_voice.media.RATE) not in [span.first for span in alone]


def test_what_a_speaker_says_twice_at_once_is_taken_once() -> None:
    cues = [
        Segment(id=str(n), start=start, end=end, speaker="Ada", text="Good day.")
        for n, (start, end) in enumerate([(0, 4), (3, 5), (3.5, 4.5), (6, 6 + 2.5 * LONGEST)])
    ]
    found = [
        (span.first / source_voice.media.RATE, span.last / source_voice.media.RATE)
        for span in spans(cues, ["Ada"])
    ]
    assert found == [(0, 4), (4, 5), (6, 21), (21, 36), (36, 43.5)]


def test_the_cleanest_stretches_are_taken_and_no_more_than_are_needed(tmp_path: Path) -> None:
    film = Film()
    noises = (0.05, 0, 0.013, 0)
    cues = [
        film.say("Ada", HIGH, text, noise=noise) for text, noise in zip(SAID, noises, strict=True)
    ]
    path = film.write(tmp_path / "film.wav")
    most = cues[1].end - cues[1].start + cues[3].end - cues[3].start - 0.3
    voice = cut_voices(path, film.segments, {"Ada": (2.0, most)}, "a")["Ada"]
    assert most - 1.5 < voice.audio.seconds <= most
    assert voice.voice.judgement
    assert voice.voice.judgement.snr > 22
    all_but_loud = cut_voices(path, film.segments, {"Ada": (2.0, 30.0)}, "a")["Ada"]
    assert all_but_loud.voice.judgement
    assert 15 < all_but_loud.voice.judgement.snr < 22
    assert all_but_loud.audio.seconds == pytest.approx(
        sum(cue.end - cue.start for cue in cues[1:]), rel=0.1
    )


def test_no_more_is_held_of_a_speaker_than_makes_the_voice(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film.write(tmp_path / "film.wav")
    held: list[float] = []
    drop = source_voice._drop_the_worst

    def watched(stretches: list[source_voice.Stretch], enough: float) -> None:
        drop(stretches, enough)
        held.append(sum(stretch.speech.audio.seconds for stretch in stretches))

    monkeypatch.setattr(source_voice, "_drop_the_worst", watched)
    cut_voices(path, film.segments, {"Ada": (2.0, 3.0)}, "a")
    assert len(held) == 4
    assert max(held) < 3.0 + 3.0


def test_too_little_of_a_speaker_is_refused_in_figures(film: Film, tmp_path: Path) -> None:
    for text in SAID[:2]:
        film.say("Eve", HIGH, text, noise=0.1)
    film.say("Eve", HIGH, "I never did.")
    path = film.write(tmp_path / "film.wav")
    with pytest.raises(
        BadInput, match=r"media/ab: [01]\.\d s of clean speech are heard.*'Eve'.* 3 s are needed"
    ):
        cut_voices(path, film.segments, {"Ada": BOUNDS, "Eve": (3.0, 30.0)}, "media/ab")


def test_a_cue_beyond_the_films_end_makes_no_voice(film: Film, tmp_path: Path) -> None:
    late = Segment(id="late", start=59.5, end=64, speaker="Eve", text="Good day.")
    path = film.write(tmp_path / "film.wav")
    with pytest.raises(BadInput, match=r"0\.0 s of clean speech.*'Eve'"):
        cut_voices(path, [*film.segments, late], {"Eve": BOUNDS}, "a")


def test_silence_where_a_speaker_should_speak_makes_no_voice(tmp_path: Path) -> None:
    path = tmp_path / "film.wav"
    soundfile.write(path, np.zeros(20 * 48_000, np.float32), 48_000)
    cue = Segment(id="1", start=1, end=9, speaker="Eve", text="Good day.")
    with pytest.raises(BadInput, match=r"0\.0 s of clean speech"):
        cut_voices(path, [cue], {"Eve": BOUNDS}, "a")
