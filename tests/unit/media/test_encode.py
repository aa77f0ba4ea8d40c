from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from av.stream import Disposition
from meters import loudness

from dubbing.errors import BadInput, MediaError
from dubbing.media.covers import write_cover
from dubbing.media.encode import Encoder
from dubbing.media.loudness import gated
from dubbing.media.pictures import alpha3
from dubbing.media.probe import RATE, decode, probe

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SECONDS = 3


def ffmpeg(*arguments: str | Path) -> None:
    quiet = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    subprocess.run([FFMPEG, *quiet, *map(str, arguments)], check=True)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film with B-frames, and French sound."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    pictures = ["-f", "lavfi", "-i", f"testsrc2=size=64x48:rate=25:duration={SECONDS}"]
    sound = ["-f", "lavfi", "-i", f"sine=440:sample_rate=44100:duration={SECONDS}"]
    codecs = ["-c:v", "libx264", "-bf", "2", "-c:a", "aac", "-metadata:s:a:0", "language=fra"]
    ffmpeg(*pictures, *sound, *codecs, "-metadata", "title=The film", path)
    return path


@pytest.fixture
def subtitles(tmp_path: Path) -> Path:
    path = tmp_path / "dub.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nGrüße\n", encoding="utf-8")
    return path


def click(channels: int, *, at: float = 1.0, seconds: float = SECONDS) -> np.ndarray:
    """Return silence, then noise from ``at`` on, the same in every channel."""
    track = np.zeros((int(seconds * RATE), channels), np.float32)
    noise = np.random.default_rng(1).uniform(-0.2, 0.2, len(track) - int(at * RATE))
    track[int(at * RATE) :] = noise[:, None]
    return track


def noise(channels: int, seconds: float) -> np.ndarray:
    shape = (int(seconds * RATE), channels)
    return np.random.default_rng(0).normal(0, 0.05, shape).astype(np.float32)


def encode(track: np.ndarray, outputs: list[Path], **options: Any) -> Encoder:
    defaults = {"language": "de", "film": None, "subtitles": None, "original_sound": False}
    with Encoder(outputs, channels=track.shape[1], **(defaults | options)) as encoder:
        for first in range(0, len(track), RATE):
            encoder.write(track[first : first + RATE])
    return encoder


def video_packets(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux(container.streams.video[0])
            if packet.pts is not None and packet.time_base is not None
        ]


def streams(path: Path) -> Iterator[tuple[str, str, str | None, bool]]:
    """Yield each stream's kind, codec, language and whether it is the default."""
    with av.open(str(path)) as container:
        for stream in container.streams:
            codec = stream.codec_context.codec.canonical_name
            default = bool(stream.disposition & Disposition.default)
            yield stream.type, codec, stream.language, default


def onset(path: Path, channels: int) -> float:
    samples = np.concatenate(list(decode(path, channels)))
    return float(np.flatnonzero(np.abs(samples).max(axis=1) > 0.05)[0]) / RATE


def children() -> int:
    task = Path(f"/proc/{os.getpid()}/task")
    return sum(len((thread / "children").read_text().split()) for thread in task.iterdir())


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("suffix", [".flac", ".wav"])
def test_lossless_sound_is_24_bit_at_48_khz(tmp_path: Path, suffix: str, channels: int) -> None:
    path = tmp_path / f"dub{suffix}"
    track = noise(channels, 1.5)
    encode(track, [path])
    written, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert (rate, soundfile.info(path).subtype) == (RATE, "PCM_24")
    np.testing.assert_allclose(written, track, atol=2**-23)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp3", "mp3"), (".ogg", "opus"), (".m4a", "aac"), (".mkv", "aac")]
)
def test_lossy_sound_starts_and_ends_where_the_track_does(
    tmp_path: Path, film: Path, suffix: str, codec: str, channels: int
) -> None:
    path = tmp_path / f"dub{suffix}"
    encode(click(channels), [path], film=film)
    info = probe(path)
    kept = min(channels, 2) if suffix == ".mp3" else channels
    assert (info.audio_codec, info.channels) == (codec, kept)
    assert info.seconds == pytest.approx(SECONDS, abs=0.05)
    assert onset(path, kept) == pytest.approx(1.0, abs=0.003)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_film_keeps_its_pictures_bit_for_bit_and_in_time(
    tmp_path: Path, film: Path, suffix: str
) -> None:
    path = tmp_path / f"dub{suffix}"
    encode(click(2), [path], film=film)
    before, after = video_packets(film), video_packets(path)
    assert [data for _, data in before] == [data for _, data in after]
    np.testing.assert_allclose([t for t, _ in after], [t for t, _ in before], atol=0.001)
    assert onset(path, 2) == pytest.approx(1.0, abs=0.003)


@pytest.mark.parametrize(("suffix", "text"), [(".mp4", "mov_text"), (".mkv", "subrip")])
def test_a_film_holds_the_dub_the_original_and_the_subtitles(
    tmp_path: Path, film: Path, subtitles: Path, suffix: str, text: str
) -> None:
    path = tmp_path / f"dub{suffix}"
    encode(click(2), [path], film=film, subtitles=subtitles, original_sound=True)
    assert list(streams(path)) == [
        ("video", "h264", None if suffix == ".mkv" else "und", True),
        ("audio", "aac", "deu", True),
        ("audio", "aac", "fra", False),
        ("subtitle", text, "deu", suffix == ".mp4"),  # MP4 always enables one track of a kind
    ]
    with av.open(str(path)) as container:
        assert container.metadata["title"] == "The film"
        sounds = [stream.metadata for stream in container.streams.audio]
        name = "handler_name" if suffix == ".mp4" else "title"
        assert sounds[0][name] == "Dubbing"
        cues = [p for p in container.demux(subtitles=0) if p.size > 2 and p.time_base]
        assert [float(p.pts * p.time_base) for p in cues] == [1.0]
        assert "Grüße".encode() in bytes(cues[0])


@pytest.mark.parametrize(
    ("suffix", "texts"), [(".mp4", ["mov_text", "mov_text"]), (".mkv", ["ass", "subrip"])]
)
def test_a_film_keeps_its_own_subtitles_and_their_fonts(
    tmp_path: Path, film: Path, subtitles: Path, suffix: str, texts: list[str]
) -> None:
    font, source, path = tmp_path / "font.ttf", tmp_path / "film.mkv", tmp_path / f"dub{suffix}"
    font.write_bytes(b"a font")
    own = tmp_path / "own.srt"
    late = (
        "00:00:01,500 --> 00:09:00,000\nOutlasts",
        "00:10:00,000 --> 00:10:02,000\nAfter the end",
    )
    own.write_text(
        subtitles.read_text() + "".join(f"\n{n}\n{cue}\n" for n, cue in enumerate(late, 2))
    )
    old = ["-i", film, "-i", own, "-map", "0", "-map", "1", "-map", "1", "-c", "copy"]
    codecs = ["-c:s:0", "ass", "-c:s:1", "srt", "-metadata:s:s:1", "language=fra"]
    attached = ["-attach", font, "-metadata:s:t", "mimetype=font/ttf"]
    ffmpeg(*old, *codecs, *attached, "-disposition:s:0", "default+forced", source)
    encode(click(2), [path], film=source, subtitles=subtitles)
    with av.open(str(path)) as container:
        kept = container.streams.subtitles[1:]
        assert [track.codec.canonical_name for track in kept] == texts
        assert kept[1].language == "fra"
        assert not any(track.disposition & Disposition.default for track in kept)
        assert kept[0].disposition & Disposition.forced or suffix == ".mp4"
        cues = [p for p in container.demux(kept[1]) if p.size > 2 and p.time_base]
        assert [float(p.pts * p.time_base) for p in cues] == [1.0, 1.5]
        fonts = [s for s in container.streams if s.type == "attachment"]
        assert len(fonts) == (suffix == ".mkv")
        assert (container.duration or 0) / av.time_base == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_film_keeps_its_other_sounds_and_its_cover(
    tmp_path: Path, film: Path, subtitles: Path, suffix: str
) -> None:
    image, source, path = tmp_path / "red.png", tmp_path / "film.mkv", tmp_path / f"dub{suffix}"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=8x8", "-frames:v", "1", image)
    sounds = ["-map", "0", "-map", "0:a", "-map", "0:a", "-c", "copy", "-c:a:1", "pcm_s24le"]
    tags = ["-metadata:s:a:1", "language=ita", "-metadata:s:a:2", "title=The director"]
    flags = ["-disposition:a:0", "default", "-disposition:a:1", "default"]
    flags += ["-disposition:a:2", "comment"]
    cover = ["-attach", image, "-metadata:s:t", "mimetype=image/png"]
    ffmpeg("-i", film, *sounds, *tags, *flags, *cover, source)
    extracted = write_cover(source, tmp_path)
    encode(click(2), [path], film=source, subtitles=subtitles, cover=extracted)
    with av.open(str(path)) as container:
        dub, italian, director = container.streams.audio
        assert [t.disposition for t in container.streams.audio] == [
            Disposition.default | Disposition.dub,
            Disposition(0),
            Disposition.comment,
        ]
        assert (dub.language, italian.language) == ("deu", "ita")
        assert italian.codec.canonical_name == ("pcm_s24le" if suffix == ".mkv" else "aac")
        if suffix == ".mkv":
            assert director.metadata["title"] == "The director"
        _, shown = container.streams.video
        assert shown.disposition & Disposition.attached_pic
        assert bytes(next(container.demux(shown))) == image.read_bytes()


def test_a_damaged_cover_is_left_out(tmp_path: Path, film: Path) -> None:
    image, source = tmp_path / "red.png", tmp_path / "film.mkv"
    image.write_bytes(b"no image")
    cover = ["-attach", image, "-metadata:s:t", "mimetype=image/png"]
    ffmpeg("-i", film, "-c", "copy", *cover, source)
    assert write_cover(source, tmp_path) is None


def test_the_original_sound_is_copied_where_the_container_can_hold_it(
    tmp_path: Path, film: Path
) -> None:
    path = tmp_path / "dub.mkv"
    encode(click(2), [path], film=film, original_sound=True)
    packets = []
    for file, index in ((film, 0), (path, 1)):
        with av.open(str(file)) as container:
            packets.append([bytes(p) for p in container.demux(audio=index) if p.size])
    assert packets[0] == packets[1]


def test_an_original_sound_that_mp4_cannot_hold_is_encoded(tmp_path: Path, film: Path) -> None:
    source = tmp_path / "film.mkv"
    ffmpeg("-i", film, "-c:v", "copy", "-c:a", "pcm_s16le", source)
    path = tmp_path / "dub.mp4"
    encode(click(1), [path], film=source, original_sound=True)
    assert [codec for _, codec, _, _ in streams(path)] == ["h264", "aac", "aac"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_film_whose_clock_does_not_start_at_zero_stays_in_step(
    tmp_path: Path, film: Path, subtitles: Path, suffix: str
) -> None:
    stream = tmp_path / "film.ts"
    ffmpeg("-i", film, "-c", "copy", stream)
    start = probe(stream).start
    assert start > 1
    path = tmp_path / f"dub{suffix}"
    encode(click(2), [path], film=stream, subtitles=subtitles, original_sound=True)
    after = video_packets(path)
    steps = [t - start for t, _ in video_packets(stream)]
    shift = after[0][0]
    assert abs(shift) < 0.05
    np.testing.assert_allclose([t - shift for t, _ in after], steps, atol=0.002)
    assert onset(path, 2) == pytest.approx(1.0, abs=0.003)


def test_a_film_without_sound_gets_the_dub_alone(tmp_path: Path, film: Path) -> None:
    silent = tmp_path / "silent.mp4"
    ffmpeg("-i", film, "-an", "-c", "copy", silent)
    path = tmp_path / "dub.mp4"
    encode(click(2), [path], film=silent, original_sound=True)
    assert [kind for kind, *_ in streams(path)] == ["video", "audio"]


def test_an_mp4_begins_with_its_index(tmp_path: Path, film: Path) -> None:
    path = tmp_path / "dub.mp4"
    encode(click(2), [path], film=film)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_every_output_is_written_in_one_go(tmp_path: Path, film: Path) -> None:
    names = ["dub.flac", "dub.wav", "dub.mp4", "dub.mkv", "dub.mp3", "dub.ogg", "dub.m4a"]
    paths = [tmp_path / name for name in names]
    encode(click(2), paths, film=film)
    assert [probe(path).seconds for path in paths] == pytest.approx([SECONDS] * 7, abs=0.06)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_loudness_and_peak_are_those_of_the_standard(tmp_path: Path, channels: int) -> None:
    track = noise(channels, 8)
    track[4 * RATE :] *= 0.5
    if channels == 6:
        track[:, 3] = 0  # pyloudnorm takes five channels, without LFE
        five = track[:, [0, 1, 2, 4, 5]]
    expected = loudness(five if channels == 6 else track, RATE)
    measured = encode(track, [tmp_path / "dub.wav"]).loudness
    assert measured.integrated == pytest.approx(expected, abs=0.1)
    assert gated(measured.blocks) == pytest.approx(expected, abs=0.1)
    sample_peak = 20 * np.log10(np.abs(track).max())
    assert sample_peak - 0.05 <= measured.true_peak < sample_peak + 2


def test_a_peak_between_samples_and_at_the_very_end_is_seen(tmp_path: Path) -> None:
    time = np.arange(RATE + 1234) / RATE
    track = 0.5 * np.sin(2 * np.pi * RATE / 4 * time + np.pi / 4)
    track[:RATE] *= 0.1
    measured = encode(track.astype(np.float32)[:, None], [tmp_path / "dub.wav"]).loudness
    assert np.abs(track).max() == pytest.approx(0.3535, abs=1e-3)
    assert measured.true_peak == pytest.approx(-6.02, abs=0.4)


def test_silence_has_a_loudness_of_minus_70(tmp_path: Path) -> None:
    measured = encode(np.zeros((RATE, 2), np.float32), [tmp_path / "dub.wav"]).loudness
    assert (measured.integrated, measured.true_peak) == (-70.0, -np.inf)
    assert gated(measured.blocks) is None


def test_a_picture_that_mp4_cannot_hold_is_refused_before_the_work(tmp_path: Path) -> None:
    film = tmp_path / "film.webm"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:duration=0.5", "-c:v", "libvpx", film)
    path = tmp_path / "dub.mp4"
    path.write_text("from before")
    with pytest.raises(BadInput, match=r"film\.webm: MP4 cannot hold vp8 video: ask for mkv"):
        encode(click(2), [path], film=film)
    assert path.read_text() == "from before"
    encode(click(2), [tmp_path / "dub.mkv"], film=film)
    assert [codec for _, codec, _, _ in streams(tmp_path / "dub.mkv")] == ["vp8", "aac"]


def test_a_film_output_needs_a_film(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    soundfile.write(sound, click(1), RATE)
    for film in (None, sound):
        with pytest.raises(BadInput):
            encode(click(2), [tmp_path / "dub.mp4"], film=film)


def test_an_unknown_kind_of_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"dub\.txt: .*\.flac"):
        encode(click(2), [tmp_path / "dub.txt"])


def test_an_error_in_the_block_leaves_no_output_and_no_process(tmp_path: Path, film: Path) -> None:
    before = children()
    paths = [tmp_path / "dub.mp4", tmp_path / "dub.wav"]
    options = {"language": "de", "film": film, "subtitles": None, "original_sound": False}
    with (
        pytest.raises(ZeroDivisionError),
        Encoder(paths, channels=2, **options) as encoder,  # type: ignore[arg-type]
    ):
        encoder.write(click(2))
        raise ZeroDivisionError
    assert [path.exists() for path in paths] == [False, False]
    assert children() == before


def test_a_full_disk_is_named_and_leaves_no_output(tmp_path: Path) -> None:
    full, other = tmp_path / "dub.wav", tmp_path / "dub.flac"
    full.symlink_to("/dev/full")
    with pytest.raises(MediaError, match=r"dub\.wav: no space is left on the disk"):
        encode(noise(2, 20), [full, other])
    assert not other.exists()
    assert not full.is_symlink()


def test_an_output_that_cannot_be_written_is_an_error_in_the_words_of_ffmpeg(
    tmp_path: Path,
) -> None:
    with pytest.raises(MediaError, match=r"dub\.wav: .*No such file or directory"):
        encode(noise(2, 5), [tmp_path / "absent" / "dub.wav"])


@pytest.mark.parametrize(
    ("language", "code"),
    [("de", "deu"), ("pt-BR", "por"), ("zh-Hans", "zho"), ("xx", "und"), ("not a tag!", "und")],
)
def test_a_language_has_the_code_that_containers_want(language: str, code: str) -> None:
    assert alpha3(language) == code
