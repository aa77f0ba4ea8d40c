"""Files that are cut short, and files that only look so."""

from __future__ import annotations

import re
import struct
import time
from pathlib import Path

import pytest
from films import FILMS, SECONDS, SOUNDS, make

from dubbing.errors import BadInput
from dubbing.media.probe import probe

HEADLESS = {"ts", "m2ts", "mpg", "vob", "dv", "aac", "ac3", "dts", "amr"}
"""Formats that say nothing of their length: a recording in them begins and ends anywhere."""

COUNTING = {"aiff", "au", "flac", "wv"}
"""Formats whose header counts the samples."""


def cut(path: Path, share: float) -> int:
    """Leave the first part of a file; return how many bytes it has."""
    data = path.read_bytes()[: round(path.stat().st_size * share)]
    path.write_bytes(data)
    return len(data)


@pytest.mark.parametrize("suffix", sorted({*FILMS, *SOUNDS} - HEADLESS))
def test_a_file_that_is_cut_short_is_refused_with_how_much_is_there(
    tmp_path: Path, suffix: str
) -> None:
    for share in (0.3, 0.6, 0.85, *([0.97] if suffix in COUNTING else [])):
        film = make(tmp_path / f"film.{suffix}")
        probe(film)
        there = cut(film, share)
        with pytest.raises(BadInput, match=rf"^film\.{suffix}: the file is cut short") as refused:
            probe(film)
        bytes_, seconds = re.escape(f"{there:,} bytes of"), r"[1-5]\.\d of 6\.[01] s are there"
        assert re.search(f"{bytes_}|{seconds}", str(refused.value))


@pytest.mark.parametrize("flags", ["+faststart", "+frag_keyframe+empty_moov"])
def test_an_mp4_is_refused_wherever_its_index_is(tmp_path: Path, flags: str) -> None:
    film = make(tmp_path / "film.mp4", "-movflags", flags)
    probe(film)
    for share in (0.85, 0.6, 0.5):
        there = cut(film, share)
        with pytest.raises(BadInput, match=rf"^film\.mp4: the file is cut short.* {there:,} bytes"):
            probe(film)


def test_an_mp4_without_its_index_is_told_from_others(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mp4")
    data = film.read_bytes()
    film.write_bytes(data[: data.index(b"moov") - 4])
    with pytest.raises(BadInput, match=r"film\.mp4: \d\d,\d{3} bytes are there, but not the index"):
        probe(film)


def test_an_mp4_is_held_to_its_index_where_its_sound_and_picture_have_no_length(
    tmp_path: Path,
) -> None:
    film = make(tmp_path / "film.mp4", "-movflags", "+faststart")
    data = bytearray(film.read_bytes())
    at = data.index(b"mdat") - 4
    data[at : at + 4] = bytes(4)
    film.write_bytes(data)
    probe(film)
    there = cut(film, 0.8)
    with pytest.raises(BadInput, match=rf"^film\.mp4: the file is cut short.* {there:,} bytes of"):
        probe(film)


@pytest.mark.parametrize("suffix", sorted(HEADLESS))
def test_a_recording_may_begin_and_end_anywhere(tmp_path: Path, suffix: str) -> None:
    film = make(tmp_path / f"film.{suffix}")
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2 + 13])
    assert 2.0 < probe(film).seconds < 5.5


def test_a_transport_stream_may_begin_in_a_packet(tmp_path: Path) -> None:
    film = make(tmp_path / "film.ts", "-x264-params", "keyint=25")
    data = film.read_bytes()
    film.write_bytes(data[len(data) // 3 + 77 : -77])
    assert 2.0 < probe(film).seconds < 5.0


def test_a_live_recording_that_was_broken_off_is_read(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mkv", "-live", "1")
    cut(film, 0.7)
    assert 2.0 < probe(film).seconds < 5.5


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_an_avi_whose_recording_was_broken_off_is_read(tmp_path: Path, length: int) -> None:
    film = make(tmp_path / "film.avi")
    data = bytearray(film.read_bytes())
    data[4:8] = struct.pack("<I", length)
    data[data.index(b"movi") - 4 : data.index(b"movi")] = struct.pack("<I", length)
    film.write_bytes(data[: data.index(b"idx1") * 2 // 3])
    assert 2.0 < probe(film).seconds < 5.5


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "wav", "mp3", "flac", "caf", "wmv", "ogg"])
@pytest.mark.parametrize("more", [b"\0" * 3, bytes(5000), b"TAG" + b"title".ljust(125), b"x" * 77])
def test_bytes_after_the_end_do_no_harm(tmp_path: Path, suffix: str, more: bytes) -> None:
    film = make(tmp_path / f"film.{suffix}")
    film.write_bytes(film.read_bytes() + more)
    assert probe(film).seconds == pytest.approx(SECONDS, abs=0.15)


def test_an_mp3_without_a_header_of_its_own_claims_nothing(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mp3", "-write_xing", "0", "-q:a", "2")
    cut(film, 0.5)
    assert probe(film).seconds == pytest.approx(SECONDS / 2, abs=0.3)


def test_a_wave_of_a_pipe_is_refused_as_it_claims_four_gigabytes(tmp_path: Path) -> None:
    film = make(tmp_path / "film.wav")
    data = bytearray(film.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff" * 4
    film.write_bytes(data)
    with pytest.raises(BadInput, match=r"at least 4,295\.0 MB"):
        probe(film)


@pytest.mark.parametrize("suffix", sorted({*FILMS, *SOUNDS} - {"amr"}))
def test_a_files_first_bytes_alone_are_refused_in_words(tmp_path: Path, suffix: str) -> None:
    whole = make(tmp_path / f"film.{suffix}").read_bytes()
    for count in (1, 8, 13):
        film = tmp_path / f"head.{suffix}"
        film.write_bytes(whole[:count])
        with pytest.raises(BadInput, match=rf"^head\.{suffix}: ") as refused:
            probe(film)
        assert "Errno" not in str(refused.value)


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (b"\0\0\0\x08ftyp", b"\0\0\0\x08free"),
        (b"\x1a\x45\xdf\xa3\x80", b"\xec\x80"),
        (b"\x1a\x45\xdf\xa3\x80", b"\xec\x01" + b"\xff" * 6 + b"\xfe"),
        (b"RIFF\0\0\0\0WAVE", b"junk\0\0\0\0"),
        (b"RIFF\x01\0\0\0AVI ", b"RIFF\x01\0\0\0"),
        (b"caff\0\1\0\0", b"free" + bytes(8)),
    ],
    ids=["MP4", "MKV", "MKV of huge parts", "WAV", "AVI", "CAF"],
)
def test_a_file_of_countless_parts_keeps_nobody(tmp_path: Path, begin: bytes, again: bytes) -> None:
    film = tmp_path / "film"
    film.write_bytes(begin + again * (4_000_000 // len(again)))
    started = time.process_time()
    with pytest.raises(BadInput, match=r"^film: "):
        probe(film)
    assert time.process_time() - started < 5
