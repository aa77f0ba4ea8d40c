"""Pictures that are copied into MP4 and MKV, and those that cannot be."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from films import CASES, FILMS, WHITE, bytes_read, flashes, make, tracks, white_frames
from scenes import ffmpeg

from dubbing.errors import BadInput
from dubbing.media.encode import Encoder
from dubbing.media.pictures import Pictures
from dubbing.media.probe import RATE, probe


def pictures(film: Path, *, original_sound: bool = False, track: str | None = None) -> Pictures:
    return Pictures(
        film=film,
        info=probe(film, track=track),
        language="de",
        subtitles=None,
        original_sound=original_sound,
    )


def dub(film: Path, output: Path, **options: object) -> Path:
    """Write a film with silence as its new sound."""
    plain = {"language": "de", "film": film, "subtitles": None, "original_sound": False}
    with Encoder([output], channels=2, **(plain | options)) as encoder:  # type: ignore[arg-type]
        encoder.write(np.zeros((round(probe(film).seconds * RATE), 2), np.float32))
    return output


def tag(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.codec_tag


def packets(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux(container.streams.video[0])
            if packet.pts is not None and packet.time_base is not None
        ]


def test_hevc_in_an_mp4_has_the_tag_that_quicktime_plays(tmp_path: Path) -> None:
    film = CASES / "hevc.mkv"
    assert tag(dub(film, tmp_path / "dub.mp4")) == "hvc1"
    assert [data for _, data in packets(tmp_path / "dub.mp4")] == [d for _, d in packets(film)]


@pytest.mark.parametrize("suffix", ["mp4", "ts", "mkv"])
def test_hevc_from_any_container_gets_that_tag(tmp_path: Path, suffix: str) -> None:
    hevc = ("-c:v", "libx265", "-x265-params", "log-level=error")
    film = make(tmp_path / f"film.{suffix}", *hevc)
    copy = dub(film, tmp_path / "dub.mp4")
    assert tag(copy) == "hvc1"
    start = probe(film).start
    assert [round(at - start, 2) for at in white_frames(film)] == WHITE
    assert white_frames(copy) == WHITE


def test_each_of_several_pictures_has_its_own_tag(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    other = make(tmp_path / "other.mp4")
    both = ("-map", "0:v", "-map", "1:v", "-c", "copy")
    ffmpeg("-i", other, "-i", CASES / "hevc.mkv", *both, film)
    copy = dub(film, tmp_path / "dub.mp4")
    with av.open(str(copy)) as container:
        tags = [stream.codec_context.codec_tag for stream in container.streams.video]
    assert tags == ["avc1", "hvc1"]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_that_an_avi_does_not_time_are_shown_in_order(tmp_path: Path, suffix: str) -> None:
    film = CASES / "xvid_bf.avi"
    pictures(film).try_copy(suffix)
    copy = dub(film, tmp_path / f"dub.{suffix}")
    assert white_frames(copy)[:5] == [1.04, 1.08, 1.12, 1.16, 1.2]
    assert [data for _, data in packets(copy)] == [data for _, data in packets(film)]


@pytest.mark.parametrize("codec", ["mpeg4", "mpeg2video"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_other_frames_that_an_avi_does_not_time_are_shown_in_order_too(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    film = make(tmp_path / "film.avi", "-c:v", codec, "-bf", "2")
    pictures(film).try_copy(suffix)
    shown = white_frames(dub(film, tmp_path / f"dub.{suffix}"))
    assert shown == [round(at + 0.04, 2) for at in WHITE]


@pytest.mark.parametrize("codec", ["libx264", "libxvid", "mpeg4"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_in_the_order_of_an_avi_are_shown_in_step_with_its_sound(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    film = make(tmp_path / "film.avi", "-c:v", codec, "-bf", "0")
    pictures(film).try_copy(suffix)
    assert white_frames(dub(film, tmp_path / f"dub.{suffix}")) == WHITE


@pytest.mark.parametrize("codec", ["libx264", "libxvid"], ids=["H.264", "packed Xvid"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_whose_order_nobody_can_tell_are_refused(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    film = make(tmp_path / "film.avi", "-c:v", codec, "-bf", "2")
    with pytest.raises(BadInput, match=r"^film\.avi: .*when its frames are shown.*encode"):
        pictures(film).try_copy(suffix)


@pytest.mark.parametrize("suffix", sorted(FILMS))
@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_what_passes_the_trial_is_shown_when_it_was(
    tmp_path: Path, suffix: str, container: str
) -> None:
    film = make(tmp_path / f"film.{suffix}")
    try:
        pictures(film, original_sound=True).try_copy(container)
    except BadInput as refused:
        held = {"wmv": "mkv", "ogv": "mkv", "dv": "mkv", "rm": "sound alone"}
        assert str(refused).startswith(f"film.{suffix}: ")
        assert f"ask for {held[suffix]}" in str(refused) or suffix == "rm"
        return
    copy = dub(film, tmp_path / f"dub.{container}", original_sound=True)
    shift = min(at for at, _ in packets(copy))
    assert 0 <= shift < 0.05, "all of it is, where the original sound begins before the picture"
    shown = [at - shift for at in white_frames(copy)]
    # Theora has no frame where nothing changes, which PyAV does not decode.
    expected = WHITE[::5] if suffix == "ogv" else WHITE
    np.testing.assert_allclose(shown, expected, atol=0.003)
    assert probe(copy).seconds == pytest.approx(probe(film).seconds, abs=0.1)


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("libvpx", "webm"), ("prores_ks", "mov"), ("ffv1", "avi"), ("mjpeg", "avi"), ("flv1", "flv")],
)
def test_a_picture_that_mp4_cannot_hold_is_refused_and_mkv_is_named(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    film = tmp_path / f"film.{suffix}"
    ffmpeg(*flashes(2), "-c:v", codec, film)
    with pytest.raises(BadInput, match=rf"^film\.{suffix}: MP4 cannot hold .* ask for mkv"):
        pictures(film).try_copy("mp4")
    pictures(film).try_copy("mkv")
    assert white_frames(dub(film, tmp_path / "dub.mkv"))


def test_a_picture_that_mkv_cannot_hold_is_refused_before_the_work(tmp_path: Path) -> None:
    film = make(tmp_path / "film.rm")
    with pytest.raises(BadInput, match=r"^film\.rm: .* ask for sound alone, such as flac"):
        pictures(film).try_copy("mkv")


def test_a_picture_of_an_unknown_kind_is_refused_in_words(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mkv")
    film.write_bytes(film.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_ZZZZZ/ISO/AVC"))
    with pytest.raises(BadInput, match=r"^film\.mkv: MP4 cannot hold unknown video"):
        pictures(film).try_copy("mp4")
    with pytest.raises(BadInput, match=r"^film\.mkv: its picture cannot be copied"):
        pictures(film).try_copy("mkv")


def test_a_cover_before_the_picture_is_not_the_picture(tmp_path: Path) -> None:
    film, cover = tmp_path / "film.mp4", tmp_path / "cover.png"
    ffmpeg(*flashes(1), "-frames:v", "1", cover)
    attached = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic")
    ffmpeg("-i", cover, "-i", make(tmp_path / "plain.mp4"), *attached, film)
    assert probe(film).video_codecs == ("h264",)
    pictures(film).try_copy("mp4")
    copy = dub(film, tmp_path / "dub.mp4")
    assert white_frames(copy) == WHITE


def test_a_sound_alone_cannot_be_tried_as_a_film(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^a\.wav: there is no picture in it to put into mp4"):
        pictures(make(tmp_path / "a.wav")).try_copy("mp4")


def test_the_trial_of_a_long_film_reads_its_begin_though_its_sound_begins_late(
    tmp_path: Path,
) -> None:
    film, short = tmp_path / "film.mkv", tmp_path / "short.mkv"
    make(short, "-an", "-vf", "noise=alls=80:allf=t")
    late = ("-itsoffset", "500", "-i", make(tmp_path / "a.m4a"))
    ffmpeg("-stream_loop", "99", "-i", short, *late, "-map", "0", "-map", "1", "-c", "copy", film)
    assert film.stat().st_size > 50_000_000
    trial = pictures(film, original_sound=True)
    before = bytes_read()
    trial.try_copy("mp4")
    assert bytes_read() - before < 0.5 * film.stat().st_size


@pytest.mark.parametrize(("track", "language"), [("2", "ger"), ("por", "por"), (None, "eng")])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_original_sound_is_the_track_that_was_chosen(
    tmp_path: Path, suffix: str, track: str | None, language: str
) -> None:
    film = tracks(tmp_path / "film.mkv", [(300, "eng"), (500, "ger"), (700, "por")])
    pictures(film, original_sound=True, track=track).try_copy(suffix)
    copy = dub(film, tmp_path / f"dub.{suffix}", original_sound=True, track=track)
    with av.open(str(copy)) as container:
        new, original, *others = [stream.language for stream in container.streams.audio]
    assert (new, original) == ("deu", language)
    assert {original, *others} == {"eng", "ger", "por"}


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_turned_film_stays_turned(tmp_path: Path, suffix: str) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg("-display_rotation", "90", "-i", make(tmp_path / "plain.mp4"), "-c", "copy", film)
    pictures(film).try_copy(suffix)
    copy = dub(film, tmp_path / f"dub.{suffix}")
    with av.open(str(copy)) as container:
        assert next(container.decode(video=0)).rotation == 90
