"""The example through ``dubbing run``, judged by what can be seen and heard of it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import pysubs2
import pytest
import soundfile
import soxr
from av.stream import Disposition
from console import SCENE, Console, wait_until
from services import PLAIN, unavailable
from weights import needed, root

FILM = SCENE.with_name("scene.mp4")
SEGMENTS = json.loads(SCENE.read_text())["segments"]
TARGET, CEILING = -23.0, -1.0
"""LUFS and dBTP of ebu-r128, the example's profile."""
RATE = 48_000
EARLY = 0.03
"""Seconds before its cue from which a line is listened for."""


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    console = Console(tmp_path_factory.mktemp("quickstart"))
    yield console
    assert console.processes() == []


@pytest.fixture(scope="module")
def quickstart(console: Console) -> Path:
    """What the quickstart's command writes."""
    console("run", SCENE, "--out", "out")
    return console.home / "out"


@pytest.fixture(scope="module")
def report(quickstart: Path) -> dict[str, Any]:
    return dict(json.loads((quickstart / "scene.report.json").read_text()))


def test_the_film_plays_to_its_end(quickstart: Path) -> None:
    decoded = ("-map", "0:v", "-map", "0:a", "-f", "null", "-")
    assert (
        ffmpeg("-loglevel", "error", "-xerror", "-i", quickstart / "scene.dub.mp4", *decoded).stderr
        == ""
    )
    with av.open(quickstart / "scene.dub.mp4") as dubbed, av.open(FILM) as source:
        assert dubbed.duration == pytest.approx(source.duration, abs=0.1e6)
        assert len(dubbed.streams.audio) == 1
        sound = dubbed.streams.audio[0]
        assert float(sound.duration * sound.time_base) == pytest.approx(75.0, abs=0.05)


def test_the_pictures_are_the_sources(quickstart: Path) -> None:
    assert picture_hash(quickstart / "scene.dub.mp4") == picture_hash(FILM)


def test_the_film_is_as_loud_as_its_profile_asks(quickstart: Path) -> None:
    loudness, peak = ebur128(quickstart / "scene.dub.mp4")
    assert loudness == pytest.approx(TARGET, abs=1.0)
    # AAC may overshoot what it was given.
    assert peak <= CEILING + 0.5


def test_the_tracks_say_their_language_and_the_dub_plays_by_default(quickstart: Path) -> None:
    with av.open(quickstart / "scene.dub.mp4") as film:
        sound, text = film.streams.audio[0], film.streams.subtitles[0]
        assert sound.language == "eng"
        assert sound.disposition & Disposition.default
        assert text.language == "eng"


def test_the_subtitles_are_the_script(quickstart: Path) -> None:
    wanted = [(ms(s["start"]), ms(s["end"]), s["text"]) for s in SEGMENTS]
    assert cues((quickstart / "scene.dub.srt").read_text()) == wanted
    # MP4 shows one cue at a time: where two overlap, the first ends with the second's start.
    track = cues(
        ffmpeg("-i", quickstart / "scene.dub.mp4", "-map", "0:s:0", "-f", "srt", "-").stdout
    )
    assert [(start, text) for start, _, text in track] == [
        (start, text) for start, _, text in wanted
    ]


def test_the_report_proves_every_line(report: dict[str, Any], console: Console) -> None:
    assert report["state"] == "completed"
    assert report["loudness"]["integrated"] == pytest.approx(TARGET, abs=1.0)
    assert {output["name"] for output in report["outputs"]} == {"dub.mp4", "dub.flac", "dub.srt"}
    said = [(line["id"], line["speaker"], line["text"]) for line in report["lines"]]
    assert said == [(s["id"], s["speaker"], s["text"]) for s in SEGMENTS]
    for line in report["lines"]:
        assert line["error"] is None
        assert abs(line["drift"]) < 0.001
        assert line["actual_end"] > line["actual_start"]
        assert 1.0 <= line["rate"] <= 1.25
        assert line["loudness"] == pytest.approx(TARGET, abs=3)
        assert line["engine"] == "espeak"
        assert len(line["model"]) == 64
        assert line["attempts"] >= 1
        assert (console.storage / line["clip"]).is_file()


class TestOnsets:
    """Every line starts within 10 ms of its cue, in the sound."""

    def test_silence_is_broken_at_the_cue(self, speech: Speech) -> None:
        heard = {line["id"]: speech.onset(line) for line in speech.alone}
        late = {id_: seconds for id_, seconds in heard.items() if abs(seconds) > 0.010}
        assert late == {}
        assert len(heard) >= 20

    def test_a_clip_as_spoken_lies_at_its_cue_to_the_sample(self, speech: Speech) -> None:
        found = {line["id"]: speech.lag(line) for line in speech.plain}
        assert {id_: lag for id_, (lag, _) in found.items() if abs(lag) > 0.001} == {}
        # What was found there is that clip and no other; two of them overlap.
        likeness = sorted(likeness for _, likeness in found.values())
        assert likeness[0] > 0.6
        assert likeness[2] > 0.99
        assert len(found) >= 15

    def test_no_line_goes_unmeasured(self, speech: Speech) -> None:
        measured = {line["id"] for line in speech.alone}
        measured |= {line["id"] for line in speech.plain}
        left = {segment["id"] for segment in SEGMENTS} - measured
        # A line that is changed itself, and starts as the one before ends, cannot be told apart.
        assert left <= speech.pressed
        assert len(left) <= 1


@pytest.mark.weights
@pytest.mark.timeout(600)
def test_natural_voices_say_every_word_and_differ(tmp_path: Path) -> None:
    for module in ("faster_whisper", "resemblyzer"):
        if find_spec(module) is None:
            unavailable(module)
    for model in ("kokoro", "whisper"):
        needed(model)
    console = Console(tmp_path, DUBBING_MODELS=str(root()))
    cast = SCENE.with_name("kokoro.json")
    console("run", SCENE, "--engine", "kokoro", "--cast", cast, "--out", "out", timeout=300)
    lines = json.loads((tmp_path / "out" / "scene.report.json").read_text())["lines"]
    assert len({line["voice"] for line in lines}) == 3
    assert {line["id"]: line["words"] for line in lines if not line["words"]["right"]} == {}
    assert [line["id"] for line in lines if line["similarity"] is None or line["sounds_like"]] == []
    assert console.processes() == []


@dataclass(frozen=True)
class Speech:
    """A dub without background, and the clips that it is made of."""

    samples: npt.NDArray[np.float32]
    """One channel of the dub at `RATE`."""
    lines: list[dict[str, Any]]
    storage: Path

    @cached_property
    def alone(self) -> list[dict[str, Any]]:
        """The lines at whose cue nobody else is speaking."""
        ends = np.maximum.accumulate([0.0, *(line["actual_end"] for line in self.lines)])
        return [
            line
            for line, before in zip(self.lines, ends, strict=False)
            if before < line["planned_start"] - EARLY
        ]

    @cached_property
    def pressed(self) -> set[str]:
        """The ids of the lines at whose cue the one before has just ended, or not yet."""
        return {line["id"] for line in self.lines} - {line["id"] for line in self.alone}

    @cached_property
    def plain(self) -> list[dict[str, Any]]:
        """The lines that sound as they were spoken: unstretched, and with all of their pauses."""
        return [line for line in self.lines if line["stretch"] == 1.0 and not line["pauses_cut"]]

    def onset(self, line: dict[str, Any]) -> float:
        """Return when a line is first heard, in seconds after its cue: 40 dB below its peak."""
        first = round((line["planned_start"] - EARLY) * RATE)
        sound = np.abs(self.samples[first : round(line["actual_end"] * RATE)])
        return float(np.argmax(sound > sound.max() / 100) / RATE - EARLY)

    def lag(self, line: dict[str, Any]) -> tuple[float, float]:
        """Return where a line's clip is most like the dub, in seconds after its cue, and how like.

        Likeness is the correlation: 1 where nothing else is heard.
        """
        samples, rate = soundfile.read(self.storage / line["clip"], dtype="float32")
        clip = soxr.resample(samples, rate, RATE)
        margin = round(0.05 * RATE)
        first = round(line["planned_start"] * RATE) - margin
        heard = self.samples[first : first + len(clip) + 2 * margin]
        spectrum = np.fft.rfft(heard) * np.fft.rfft(clip, len(heard)).conj()
        products = np.fft.irfft(spectrum, len(heard))[: len(heard) - len(clip) + 1]
        at = int(np.argmax(products))
        here = heard[at : at + len(clip)]
        likeness = products[at] / (np.linalg.norm(here) * np.linalg.norm(clip))
        return (at - margin) / RATE, float(likeness)


@pytest.fixture(scope="module")
def speech(console: Console, quickstart: Path) -> Speech:
    """The example once more, from the clips that are there, with nothing under the speech."""
    console("run", SCENE, "--background", "none", "--format", "flac", "--out", "speech")
    folder = console.home / "speech"
    samples, rate = soundfile.read(folder / "scene.dub.flac", dtype="float32", always_2d=True)
    assert rate == RATE
    lines = json.loads((folder / "scene.report.json").read_text())["lines"]
    assert [line["attempts"] for line in lines] == [0] * len(lines), "a line was spoken again"
    return Speech(samples=samples[:, 0], lines=lines, storage=console.storage)


def test_ctrl_c_stops_everything_and_the_same_run_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "spoken"
    console = Console(tmp_path / "home", FAULTY_LOG=str(log))
    script = tmp_path / "long.json"
    script.write_text(json.dumps(long_script(lines=24)))
    command = ("run", script, "--out", "out")

    with console.started(*command) as process:
        wait_until(lambda: log.exists() and spoken(log).total() > 6, seconds=60, what="6 lines")
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=25)
    assert process.returncode == 130
    assert "the same command continues" in complaints
    assert "Traceback" not in complaints
    assert console.processes() == []
    before = spoken(log)
    assert before.total() < 24

    status = console.json(*command)
    assert status["state"] == "completed"
    assert spoken(log) == Counter(segment["text"] for segment in long_script(lines=24)["segments"])
    report = json.loads((console.home / "out" / "long.report.json").read_text())
    assert len(report["lines"]) == 24
    assert console.processes() == []


def long_script(*, lines: int) -> dict[str, Any]:
    """A manifest whose lines take their time, in an engine that notes what it speaks."""
    segments = [
        {"id": str(n), "start": 3.0 * n, "end": 3.0 * n + 2.5, "text": f"Line {n} <slow:0.2>"}
        for n in range(1, lines + 1)
    ]
    return {"language": PLAIN, "engine": "faulty", "segments": segments}


def spoken(log: Path) -> Counter[str]:
    """Return how often each text was spoken."""
    return Counter(entry.split("\t")[1] for entry in log.read_text().splitlines())


def ffmpeg(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done


def picture_hash(film: Path) -> str:
    return ffmpeg("-i", film, "-map", "0:v", "-c", "copy", "-f", "streamhash", "-").stdout


def ebur128(film: Path) -> tuple[float, float]:
    """Return loudness in LUFS and true peak in dBTP of a film's first sound."""
    measure = ("-map", "0:a:0", "-af", "ebur128=peak=true", "-f", "null", "-")
    summary = ffmpeg("-i", film, *measure).stderr.rpartition("Summary:")[2]
    loudness = re.search(r"I:\s+(\S+) LUFS", summary)
    peak = re.search(r"Peak:\s+(\S+) dBFS", summary)
    assert loudness
    assert peak
    return float(loudness[1]), float(peak[1])


def cues(srt: str) -> list[tuple[int, int, str]]:
    """Return start and end in milliseconds, and text, of each cue."""
    events = pysubs2.SSAFile.from_string(srt, format_="srt")
    return [(event.start, event.end, event.plaintext) for event in events]


def ms(seconds: float) -> int:
    return round(seconds * 1000)
