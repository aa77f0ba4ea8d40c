"""Which of a film's sound tracks is heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from films import make, tracks
from scenes import ffmpeg

from dubbing.errors import BadInput
from dubbing.media.probe import RATE, decode, decode_speech, probe

SOUNDS = [(300, "eng"), (500, "ger"), (700, "por"), (900, "ger"), (1100, "und")]


def pitch(path: Path, track: str | None = None) -> int:
    """Return the frequency that is heard, in Hz, to the next hundred."""
    samples = np.concatenate(list(decode(path, 1, track=track)))[:RATE, 0]
    return round(float(np.argmax(np.abs(np.fft.rfft(samples)))) / 100) * 100


def marked(*default: int) -> list[str]:
    """Return ffmpeg's options that mark these of the tracks as default, and no other."""
    return [
        part
        for n in range(len(SOUNDS))
        for part in (f"-disposition:a:{n}", "default" if n in default else "0")
    ]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_the_track_that_the_film_marks_as_its_default_is_its_sound(
    tmp_path: Path, suffix: str
) -> None:
    film = tracks(tmp_path / f"film.{suffix}", SOUNDS, *marked(2))
    assert pitch(film) == 700
    assert (probe(film).language, probe(film).track) == ("por", 2)


@pytest.mark.parametrize("suffix", ["mkv", "ts", "avi"])
def test_without_a_mark_the_first_track_is_the_films_sound(tmp_path: Path, suffix: str) -> None:
    film = tracks(tmp_path / f"film.{suffix}", SOUNDS, *marked())
    assert pitch(film) == 300


def test_of_several_marked_tracks_the_first_is_the_films_sound(tmp_path: Path) -> None:
    assert pitch(tracks(tmp_path / "film.mkv", SOUNDS, *marked(1, 2))) == 500


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [("1", 300), ("2", 500), ("5", 1100), ("03", 700)]
    + [(tag, 500) for tag in ("de", "ger", "deu", "DE", "de-AT")]
    + [("pt-BR", 700), ("eng", 300), ("en", 300)],
)
def test_a_track_is_chosen_by_its_number_or_its_language(
    tmp_path: Path, wanted: str, heard: int
) -> None:
    film = tracks(tmp_path / "film.mkv", SOUNDS, *marked(4))
    assert pitch(film, wanted) == heard


def test_of_several_tracks_in_a_language_the_default_one_is_chosen(tmp_path: Path) -> None:
    assert pitch(tracks(tmp_path / "film.mkv", SOUNDS, *marked(0, 3)), "de") == 900


@pytest.mark.parametrize("wanted", ["0", "6", "99999999999999999999", "fr", "und", "english", "-1"])
def test_a_track_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, wanted: str
) -> None:
    title = ("-metadata:s:a:1", "title=Director's comments")
    film = tracks(tmp_path / "film.mkv", SOUNDS[:2], *title)
    listed = (
        rf"^film\.mkv: there is no sound track '{wanted}': 1 is aac, 1 channels, eng; "
        r"2 is aac, 1 channels, ger, \"Director's comments\"$"
    )
    for look in (lambda: probe(film, track=wanted), lambda: next(decode(film, 1, track=wanted))):
        with pytest.raises(BadInput, match=listed):
            look()


def test_a_film_without_sound_has_no_track_to_choose(tmp_path: Path) -> None:
    film = tmp_path / "silent.mp4"
    ffmpeg("-i", make(tmp_path / "film.mp4"), "-an", "-c", "copy", film)
    assert probe(film).channels == 0
    with pytest.raises(BadInput, match=r"no sound track '1': the file has no sound"):
        probe(film, track="1")


def test_what_a_recording_says_is_its_default_track(tmp_path: Path) -> None:
    film = tracks(tmp_path / "film.mkv", SOUNDS, *marked(3))
    samples = decode_speech(film, rate=8000, max_seconds=10).samples[:8000]
    assert round(float(np.argmax(np.abs(np.fft.rfft(samples)))), -2) == 900


def test_a_track_that_cannot_be_decoded_is_named_and_another_may_be_chosen(tmp_path: Path) -> None:
    film = tracks(tmp_path / "film.mkv", SOUNDS[:2], "-c:a:0", "mp2")
    film.write_bytes(film.read_bytes().replace(b"A_MPEG/L2", b"A_ZZZZ/L2"))
    with pytest.raises(BadInput, match=r"film\.mkv: its sound is in a codec that cannot be read"):
        probe(film)
    with pytest.raises(BadInput, match=r"1 is an unknown codec, eng; 2 is aac"):
        probe(film, track="3")
    assert pitch(film, "2") == 500
