"""GPT-SoVITS, against a server that behaves as its api_v2.py, and hums at a reference's pitch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import speech_server
from speech import pitch
from speech_server import Server

from dubbing.engines.adapters.gpt_sovits import GPTSoVITS
from dubbing.engines.adapters.tone import Tone
from dubbing.engines.engine import Line
from dubbing.engines.models.folders import NOWHERE
from dubbing.engines.remote.registry import Registry
from dubbing.errors import BadInput, EngineAway, EngineFailed, SpeechRejected
from dubbing.media.samples import Audio

TEXT = "You told me that the ship would leave before dawn."
WORDS = "The words of the reference."


@pytest.fixture(scope="module")
def only() -> Iterator[Server]:
    with speech_server.running("sovits") as server:
        yield server


@pytest.fixture
def server(only: Server) -> Server:
    only.reset()
    return only


@pytest.fixture
def engine(server: Server, registry: Registry, tmp_path: Path) -> Iterator[GPTSoVITS]:
    folder = tmp_path / "references"
    folder.mkdir()
    registry.add("gpt-sovits", {"url": server.url}, {"references": str(folder)})
    engine = GPTSoVITS("gpt-sovits", NOWHERE, registry.pools)
    engine.load("remote")
    yield engine
    engine.unload()


def reference(voice: str, seconds: float = 8.0) -> Audio:
    (sound,) = Tone().synthesize([Line(text="x" * round(15 * seconds), language="en", voice=voice)])
    assert isinstance(sound, Audio)
    return sound


def test_lines_of_two_voices_are_not_mixed_up(engine: GPTSoVITS) -> None:
    voices = {voice: reference(voice) for voice in ("low", "high")}
    forms = {voice: engine.extract(sound, WORDS) for voice, sound in voices.items()}
    lines = [
        Line(text=f"{TEXT} {n}", language="en", voice=forms[("low", "high")[n % 2]])
        for n in range(6)
    ]
    for n, sound in enumerate(engine.synthesize(lines)):
        assert isinstance(sound, Audio)
        assert pitch(sound) == pytest.approx(pitch(voices[("low", "high")[n % 2]]), rel=0.1)


def test_the_server_is_told_all_that_decides_how_a_line_sounds(
    server: Server, engine: GPTSoVITS, tmp_path: Path
) -> None:
    form = engine.extract(reference("low"), WORDS)
    line = Line(text="你好。", language="zh-HK", voice=form, speed=1.2, seed=7)
    engine.synthesize([line])
    (asked,) = server.seen
    assert (asked["text_lang"], asked["prompt_text"]) == ("yue", WORDS)
    assert (asked["speed_factor"], asked["seed"]) == (1.2, 7)
    assert (asked["text_split_method"], asked["fragment_interval"]) == ("cut0", 0)
    assert {"top_k", "top_p", "temperature", "repetition_penalty"} <= set(asked)
    path = Path(asked["ref_audio_path"])
    assert path.parent == tmp_path / "references"
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("fault", ["zeros", "16khz"])
def test_silence_and_sound_at_16_khz_are_failures(
    server: Server, engine: GPTSoVITS, fault: str
) -> None:
    server.set(faults={fault: 1})
    form = engine.extract(reference("low"), "")
    (failed,) = engine.synthesize([Line(text=TEXT, language="en", voice=form)])
    assert isinstance(failed, EngineFailed)
    assert len(server.seen) == 3


def test_what_the_server_refuses_is_the_lines_error_in_its_words(engine: GPTSoVITS) -> None:
    form = {**engine.extract(reference("low"), "")}
    form["samples"] = form["samples"][:24_000]
    (refused,) = engine.synthesize([Line(text=TEXT, language="en", voice=form)])
    assert isinstance(refused, SpeechRejected)
    assert "3~10" in str(refused)


def test_a_folder_that_is_gone_is_no_fault_of_the_line(
    server: Server, engine: GPTSoVITS, tmp_path: Path
) -> None:
    form = engine.extract(reference("low"), "")
    (tmp_path / "references").rmdir()
    (away,) = engine.synthesize([Line(text=TEXT, language="en", voice=form)])
    assert isinstance(away, EngineAway)
    assert "references cannot be written" in str(away)


@pytest.mark.parametrize("seconds", [2.0, 12.0])
def test_a_reference_that_the_server_would_refuse_is_refused_before(
    engine: GPTSoVITS, seconds: float
) -> None:
    with pytest.raises(SpeechRejected, match="3 to 10 s"):
        engine.extract(reference("low", seconds), "")


def test_its_servers_are_sent_one_line_at_a_time(server: Server, registry: Registry) -> None:
    with pytest.raises(BadInput, match="speak 1 at once"):
        registry.add("gpt-sovits", {"url": server.url, "slots": 2}, {"references": "/r"})


def test_without_a_shared_folder_it_is_refused(server: Server, registry: Registry) -> None:
    with pytest.raises(BadInput, match="--references FOLDER"):
        registry.add("gpt-sovits", {"url": server.url}, {})
