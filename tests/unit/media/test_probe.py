from __future__ import annotations

import os
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from films import FILMS, SECONDS, SOUNDS, make

from dubbing.errors import BadInput, MediaError
from dubbing.media.probe import RATE, decode, decode_speech, probe

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def ffmpeg(*arguments: str | Path) -> None:
    quiet = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    subprocess.run([FFMPEG, *quiet, *map(str, arguments)], check=True)


def pictures(seconds: float) -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc2=size=64x48:rate=25:duration={seconds}"]


def tone(path: Path, channels: int = 1, *, seconds: float = 1.0, rate: int = RATE) -> Path:
    """Write a WAV whose channel n, from 1, is a tone of n × 200 Hz with an amplitude of 0.25."""
    time = np.arange(int(seconds * rate)) / rate
    waves = [0.25 * np.sin(2 * np.pi * 200 * (n + 1) * time) for n in range(channels)]
    soundfile.write(path, np.stack(waves, axis=1), rate, subtype="PCM_16")
    return path


def onset(samples: np.ndarray) -> int:
    """Return the first frame that sounds."""
    return int(np.flatnonzero(np.abs(samples).max(axis=1) > 0.01)[0])


def all_of(path: Path, channels: int) -> np.ndarray:
    return np.concatenate(list(decode(path, channels)))


def children() -> int:
    task = Path(f"/proc/{os.getpid()}/task")
    return sum(len((thread / "children").read_text().split()) for thread in task.iterdir())


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_sound_file_is_probed_and_decoded_in_its_channels(tmp_path: Path, channels: int) -> None:
    path = tone(tmp_path / "a.wav", channels, seconds=1.5)
    info = probe(path)
    assert (info.channels, info.has_video) == (channels, False)
    assert info.seconds == pytest.approx(1.5)
    blocks = list(decode(path, channels, frames=RATE))
    assert [len(block) for block in blocks] == [RATE, RATE // 2]
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_allclose(np.concatenate(blocks), expected, atol=1e-4)
    assert blocks[0].dtype == np.float32


def test_samples_that_are_no_sound_are_silent(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sound = np.full((RATE, 1), 0.25, np.float32)
    sound[[100, 200, 300, 400]] = [[np.nan], [np.inf], [-np.inf], [1e30]]
    soundfile.write(path, sound, RATE, "FLOAT")
    silent = np.flatnonzero(all_of(path, 1)[:, 0] != np.float32(0.25))
    np.testing.assert_array_equal(silent, [100, 200, 300, 400])
    speech = decode_speech(path, rate=24_000, max_seconds=2)
    assert np.abs(speech.samples).max() < 1


def test_a_film_tells_its_length_codecs_and_language(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    sound = tone(tmp_path / "a.wav", 2, seconds=2)
    tags = ["-metadata:s:a:0", "language=fra"]
    ffmpeg(*pictures(2), "-i", sound, "-c:v", "libx264", "-c:a", "flac", *tags, path)
    info = probe(path)
    assert info.has_video
    assert (info.video_codec, info.audio_codec, info.language) == ("h264", "flac", "fra")
    assert info.seconds == pytest.approx(2.0, abs=0.05)


def test_a_film_without_sound_has_no_channels(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    ffmpeg(*pictures(1), path)
    info = probe(path)
    assert (info.has_video, info.channels, info.language) == (True, 0, None)
    with pytest.raises(BadInput, match=r"film\.mp4: there is no sound"):
        next(decode(path, 2))


@pytest.mark.parametrize("suffix", ["mp3", "m4a", "flac"])
def test_a_cover_is_not_a_film(tmp_path: Path, suffix: str) -> None:
    path, cover = tmp_path / f"song.{suffix}", tmp_path / "cover.png"
    ffmpeg(*pictures(1), "-frames:v", "1", cover)
    attached = ("-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v:0", "attached_pic")
    ffmpeg("-i", tone(tmp_path / "a.wav"), "-i", cover, *attached, path)
    info = probe(path)
    assert not info.has_video
    assert info.seconds == pytest.approx(1.0, abs=0.05)


def test_what_an_edit_list_leaves_out_is_left_out(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.mp4", tmp_path / "film.mp4"
    late = ("-itsoffset", "1.5", "-i", tone(tmp_path / "a.wav", seconds=4.5))
    ffmpeg(*pictures(6), *late, "-g", "100", "-c:a", "aac", whole)
    ffmpeg("-ss", "1", "-i", whole, "-c", "copy", path)
    info = probe(path)
    assert info.seconds == pytest.approx(5.0, abs=0.1)
    assert onset(all_of(path, 1)) == pytest.approx(0.5 * RATE, abs=0.05 * RATE)


@pytest.mark.parametrize("suffix", sorted({*FILMS, *SOUNDS}))
def test_every_format_is_decoded(tmp_path: Path, suffix: str) -> None:
    path = make(tmp_path / f"film.{suffix}")
    samples = all_of(path, 1)
    assert len(samples) == pytest.approx(SECONDS * RATE, abs=0.1 * RATE)
    middle = np.abs(np.fft.rfft(samples[2 * RATE : 4 * RATE, 0]))
    assert np.argmax(middle) / 2 == pytest.approx(440, abs=1)


@pytest.mark.parametrize("suffix", ["gif", "nut", "png", "srt", "swf"])
def test_what_is_not_taken_is_refused_with_what_is(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film.{suffix}"
    if suffix == "srt":
        path.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello.\n")
    else:
        ffmpeg(*pictures(1), *(["-frames:v", "1"] if suffix == "png" else []), path)
    with pytest.raises(BadInput, match=r"which are MP4, MOV, .*MKV, .*FLV, WMV, .*AMR") as refused:
        probe(path)
    assert "Invalid" not in str(refused.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused_in_words(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav")
    path.chmod(0)
    with pytest.raises(BadInput, match=r"a\.wav: it may not be read: change its permissions"):
        probe(path)


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_sound_that_starts_late_is_padded_to_the_first_frame(
    tmp_path: Path, container: str
) -> None:
    path = tmp_path / f"film.{container}"
    sound = tone(tmp_path / "a.wav")
    ffmpeg(*pictures(2), "-itsoffset", "0.5", "-i", sound, "-c:a", "flac", "-copyts", path)
    samples = all_of(path, 1)
    assert probe(path).early == 0
    assert onset(samples) == pytest.approx(0.5 * RATE, abs=0.005 * RATE)
    assert len(samples) == pytest.approx(1.5 * RATE, abs=0.005 * RATE)


def test_sound_before_the_first_frame_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    late = ["-itsoffset", "0.4", *pictures(1)]
    ffmpeg(*late, "-i", tone(tmp_path / "a.wav"), "-c:a", "flac", path)
    info = probe(path)
    assert (info.start, info.early) == (pytest.approx(0.4), pytest.approx(0.4))
    assert len(all_of(path, 1)) == pytest.approx(0.6 * RATE, abs=0.005 * RATE)


def test_a_transport_stream_is_timed_from_its_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "film.ts"
    sound = tone(tmp_path / "a.wav", seconds=0.5)
    late = ["-itsoffset", "1", "-i", sound]
    ffmpeg(*pictures(2), *late, "-c:v", "libx264", "-c:a", "mp2", path)
    info = probe(path)
    assert info.start > 1
    assert info.seconds == pytest.approx(2.0, abs=0.05)
    assert onset(all_of(path, 1)) == pytest.approx(RATE, abs=0.03 * RATE)


def test_a_gap_in_the_sound_is_filled_with_silence(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    hole = ["-af", "aselect=not(between(t\\,0.5\\,1.0))", "-fps_mode", "passthrough"]
    ffmpeg("-i", tone(tmp_path / "a.wav", seconds=2), *hole, "-c:a", "pcm_s16le", path)
    samples = all_of(path, 1)
    assert len(samples) == pytest.approx(2 * RATE, abs=0.01 * RATE)
    assert not samples[int(0.6 * RATE) : int(0.9 * RATE)].any()
    assert samples[int(1.2 * RATE) :].any()


def test_a_sound_file_without_a_length_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "a.aac"
    ffmpeg("-i", tone(tmp_path / "a.wav", seconds=3), path)
    assert probe(path).seconds == pytest.approx(3.0, abs=0.1)


def test_closing_the_blocks_early_ends_ffmpeg(tmp_path: Path) -> None:
    before = children()
    blocks = decode(tone(tmp_path / "a.wav", seconds=20), 1, frames=100)
    next(blocks)
    assert children() == before + 1
    blocks.close()  # type: ignore[attr-defined] # it is a generator
    assert children() == before


def test_a_stream_that_cannot_be_decoded_is_an_error_in_the_words_of_ffmpeg(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.mkv"
    ffmpeg("-i", tone(tmp_path / "a.wav", seconds=2), "-c:a", "flac", path)
    data = bytearray(path.read_bytes())
    first = data.index(b"\xff\xf8")
    data[first:] = bytes(len(data) - first)
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"a\.mkv: .+"):
        all_of(path, 1)


def test_speech_is_mono_at_the_rate_that_was_asked(tmp_path: Path) -> None:
    path = tone(tmp_path / "voice.wav", 2, seconds=1.0, rate=44_100)
    audio = decode_speech(path, rate=16_000, max_seconds=1.0)
    assert (audio.rate, audio.samples.shape, audio.samples.dtype) == (16_000, (16_000,), np.float32)


def test_speech_longer_than_allowed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"voice\.wav: the recording is longer than 1\.5 s"):
        decode_speech(tone(tmp_path / "voice.wav", seconds=1.6), rate=16_000, max_seconds=1.5)


def test_a_flac_that_unfolds_into_hours_is_refused_at_the_cap(tmp_path: Path) -> None:
    path = tmp_path / "bomb.flac"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=7200", "-c:a", "flac", path)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(BadInput, match="longer than 30 s"):
        decode_speech(path, rate=16_000, max_seconds=30)


def wave_header(*, data: int, rate: int = RATE, channels: int = 1) -> bytes:
    frame = 2 * channels
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * frame % 2**32, frame % 2**16, 16)
    chunks = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", data)
    return b"RIFF" + struct.pack("<I", min(36 + data, 2**32 - 1)) + chunks


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (wave_header(data=2**32 - 1), "claims more than it holds"),
        (wave_header(data=9601), "cut short"),
        (wave_header(data=9600, rate=2_000_000_000), "a.wav"),
        (wave_header(data=9600, rate=4000), "sample rate is 4000 Hz"),
        (wave_header(data=9600, channels=65_535), "a.wav"),
        (wave_header(data=9600, channels=9), "9 channels"),
    ],
)
def test_a_wave_that_claims_too_much_is_refused(
    tmp_path: Path, header: bytes, complaint: str
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(header + bytes(9600))
    with pytest.raises(BadInput, match=complaint):
        probe(path)


def test_a_wave_that_holds_what_it_claims_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wave_header(data=9600) + bytes(9600))
    assert probe(path).seconds == pytest.approx(0.1)


@pytest.mark.parametrize("data", [b"", b"hello", b"RIFF", bytes(5000), b"WEBVTT\n\n"])
def test_what_is_not_media_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"^film\.mp4: "):
        probe(path)


@pytest.mark.parametrize("flags", [[], ["-movflags", "+faststart"]])
def test_a_film_that_is_cut_short_is_refused(tmp_path: Path, flags: list[str]) -> None:
    path = tmp_path / "film.mp4"
    ffmpeg(*pictures(2), *flags, path)
    data = path.read_bytes()
    probe(path)
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(BadInput, match=r"^film\.mp4: "):
        probe(path)


def test_what_is_not_a_regular_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, tmp_path / "absent.wav", Path("/dev/zero")):
        with pytest.raises(BadInput, match="no such file"):
            probe(path)


@contextmanager
def counting_server(asked: list[str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("playlist.wav", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}/a.ts\n"),
        ("film.mp4", "ffconcat version 1.0\nfile '{url}/a.mp4'\n"),
        ("film.mkv", "ffconcat version 1.0\nfile 'other.wav'\n"),
        ("manifest.mp4", "<MPD><Period><BaseURL>{url}/</BaseURL></Period></MPD>"),
        ("data.wav", ";FFMETADATA1\ntitle={url}\n"),
        ("film.wmv", "[Reference]\nRef1={url}/a.wmv?MSWMExt=.asf\n"),
        ("film.wma", "<asx version='3'><entry><ref href='{url}/a.wmv'/></entry></asx>"),
        ("film.rm", "{url}/a.rm\n"),
        ("film.flv", "concat:{url}/a.flv|{url}/b.flv\n"),
        ("film.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 9 RTP/AVP 0\n"),
    ],
)
def test_playlists_are_refused_and_nothing_is_fetched(tmp_path: Path, name: str, text: str) -> None:
    asked: list[str] = []
    tone(tmp_path / "other.wav")
    path = tmp_path / name
    with counting_server(asked) as url:
        path.write_text(text.format(url=url))
        for attempt in (
            lambda: probe(path),
            lambda: next(decode(path, 1)),
            lambda: decode_speech(path, rate=16_000, max_seconds=30),
        ):
            with pytest.raises(BadInput, match=name):
                attempt()
    assert asked == []


def test_ffmpeg_itself_refuses_playlists_too(tmp_path: Path) -> None:
    """The guards hold without the probe, which uses another library."""
    from dubbing.media.ffmpeg import FFmpeg, source

    asked: list[str] = []
    path = tmp_path / "playlist.wav"
    with counting_server(asked) as url:
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}/a.ts\n")
        with FFmpeg([*source(path), "-f", "null", "-"]) as ffmpeg, pytest.raises(MediaError):
            ffmpeg.finish(path.name, timeout=60)
    assert asked == []


@pytest.mark.parametrize(
    "name", ["-i", "concat:x", "http:", "%d.wav", "a b'\"$(x);.wav", "é\n.wav"]
)
def test_a_file_may_have_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(tone(tmp_path / "plain.wav").read_bytes())
    assert probe(Path(name)).channels == 1
    assert len(all_of(Path(name), 1)) == RATE
