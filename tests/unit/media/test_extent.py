"""How long films and sounds are, whatever their containers say."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import pytest
from films import CASES, FILMS, SECONDS, SOUNDS, bytes_read, make
from scenes import ffmpeg

from dubbing.errors import BadInput
from dubbing.media.probe import probe

SUBTITLES = "1\n00:00:01,000 --> 00:00:02,000\nOld.\n\n2\n00:10:00,000 --> 00:10:02,000\nLate.\n"


def test_old_subtitles_make_no_film_longer() -> None:
    assert probe(CASES / "longsubs.mkv").seconds == pytest.approx(12.0, abs=0.05)


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "subrip"), ("mp4", "mov_text")])
def test_subtitles_that_outlast_the_film_are_not_counted(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    old = tmp_path / "old.srt"
    old.write_text(SUBTITLES)
    film = make(tmp_path / f"plain.{suffix}")
    with_old = tmp_path / f"film.{suffix}"
    ffmpeg("-i", film, "-i", old, "-map", "0", "-map", "1", "-c", "copy", "-c:s", codec, with_old)
    assert probe(with_old).seconds == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize("suffix", [*FILMS, *SOUNDS])
def test_every_format_has_its_length(tmp_path: Path, suffix: str) -> None:
    assert probe(make(tmp_path / f"film.{suffix}")).seconds == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts", "mpg", "flv", "wmv", "ogv", "webm"])
@pytest.mark.parametrize(("picture", "sound"), [(3.0, 8.0), (8.0, 3.0)])
def test_the_longer_of_picture_and_sound_is_the_films_length(
    tmp_path: Path, suffix: str, picture: float, sound: float
) -> None:
    film = make(tmp_path / f"film.{suffix}", picture=picture, sound=sound)
    assert probe(film).seconds == pytest.approx(8.0, abs=0.15)


def test_of_several_sound_tracks_the_chosen_one_counts(tmp_path: Path) -> None:
    film, long = make(tmp_path / "film.mp4"), make(tmp_path / "long.m4a", sound=20.0)
    both = tmp_path / "both.mp4"
    ffmpeg("-i", film, "-i", long, "-map", "0", "-map", "1", "-c", "copy", both)
    assert probe(both).seconds == pytest.approx(SECONDS, abs=0.1)
    assert probe(both, track="2").seconds == pytest.approx(20.0, abs=0.1)


@pytest.mark.parametrize("claim", [0.001, 1.0, 5.9, 15.0, 500.0, 1e9])
def test_a_wrong_claim_of_an_mkv_changes_nothing(tmp_path: Path, claim: float) -> None:
    film = make(tmp_path / "film.mkv")
    data = bytearray(film.read_bytes())
    at = data.index(b"\x44\x89\x88") + 3
    data[at : at + 8] = struct.pack(">d", claim * 1000)
    film.write_bytes(data)
    assert probe(film).seconds == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize("claim", [1, 15, 100_000])
def test_a_wrong_claim_of_an_mp4_changes_nothing(tmp_path: Path, claim: int) -> None:
    film = make(tmp_path / "film.mp4")
    data = bytearray(film.read_bytes())
    at = data.index(b"mvhd") + 20
    data[at : at + 4] = struct.pack(">I", claim * 1000)
    film.write_bytes(data)
    assert probe(film).seconds == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize("claim", [10, 150, 9000])
def test_a_wrong_claim_of_an_avi_changes_nothing(tmp_path: Path, claim: int) -> None:
    film = make(tmp_path / "film.avi")
    data = bytearray(film.read_bytes())
    frames = data.index(b"avih") + 24
    data[frames : frames + 4] = struct.pack("<I", claim)
    film.write_bytes(data)
    assert probe(film).seconds == pytest.approx(SECONDS, abs=0.1)


def test_a_live_recording_without_a_length_or_an_index_is_measured(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mkv", "-live", "1")
    assert b"\x1c\x53\xbb\x6b" not in film.read_bytes(), "it has no cues"
    assert probe(film).seconds == pytest.approx(SECONDS, abs=0.1)


def test_a_picture_of_one_frame_is_as_long_as_its_sound(tmp_path: Path) -> None:
    film = tmp_path / "still.mp4"
    still = ("-f", "lavfi", "-i", "color=red:size=64x48:rate=1:duration=1")
    ffmpeg(*still, "-f", "lavfi", "-i", "sine=440:duration=30", "-c:a", "aac", film)
    assert probe(film).seconds == pytest.approx(30.0, abs=0.1)


def test_frames_of_any_rate_are_counted(tmp_path: Path) -> None:
    film = tmp_path / "vfr.mkv"
    drop = ("-vf", "select='lt(n,25)+not(mod(n,10))'", "-fps_mode", "vfr")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=6", *drop, film)
    assert probe(film).seconds == pytest.approx(6.0, abs=0.4)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts", "mpg", "wmv"])
def test_of_a_long_film_no_more_is_read_than_its_ends(tmp_path: Path, suffix: str) -> None:
    short = make(tmp_path / f"short.{suffix}", "-vf", "noise=alls=80:allf=t")
    film = tmp_path / f"film.{suffix}"
    times = 60_000_000 // short.stat().st_size
    ffmpeg("-stream_loop", str(times), "-i", short, "-c", "copy", film)
    assert film.stat().st_size > 50_000_000
    before = bytes_read()
    assert probe(film).seconds == pytest.approx(SECONDS * (times + 1), rel=0.02)
    assert bytes_read() - before < 0.3 * film.stat().st_size


def with_a_late_packet(path: Path, seconds: float) -> Path:
    """Write a second of sound, whose last packet is stamped ``seconds`` later."""
    whole = make(path.with_name("whole.mka"), sound=1.0)
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        track = target.add_stream_from_template(source.streams.audio[0])
        packets = [packet for packet in source.demux() if packet.size]
        packets[-1].pts += round(seconds / packets[-1].time_base)
        packets[-1].dts = packets[-1].pts
        for packet in packets:
            packet.stream = track
            target.mux(packet)
    return path


LATE = r"claims to last 10\.0 hours, but holds [\d,]+ bytes"


@pytest.mark.parametrize(
    ("suffix", "hours", "said"),
    [("mkv", 10, LATE), ("mka", 10, LATE), ("mp4", 10, LATE), ("mka", 25, r"lasts 25\.0 hours")],
)
def test_a_small_file_whose_last_packet_is_hours_late_is_refused(
    tmp_path: Path, suffix: str, hours: int, said: str
) -> None:
    film = with_a_late_packet(tmp_path / f"late.{suffix}", hours * 3600)
    assert film.stat().st_size < 60_000
    with pytest.raises(BadInput, match=rf"^late\.{suffix}: it {said}"):
        probe(film)


def test_eleven_minutes_of_silence_in_a_lean_codec_is_a_film(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.ogg"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono:d=660:n=48000", "-c:a", "libopus",
           "-dtx", "1", "-frame_duration", "60", "-application", "voip", quiet)  # fmt: skip
    assert probe(quiet).seconds == pytest.approx(660, abs=1)
