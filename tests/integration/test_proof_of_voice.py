"""A line in the wrong voice is found by the report, as real workers and cloned voices show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from scenes import store_take
from services import unavailable
from speech import loaded, speak
from system import System

from dubbing.assembly.assemble import assemble
from dubbing.assembly.report import Report
from dubbing.engines.engine import Engine, Line
from dubbing.job import Job, JobState, Segment
from dubbing.media.samples import Audio, encode_flac
from dubbing.planning.clip import digest_of
from dubbing.planning.outcome import Outcome
from dubbing.planning.plan import Batch, Kind, PlannedLine
from dubbing.planning.result import SegmentResult
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices import speaker_encoder as listener
from dubbing.voices.store import store_voice
from dubbing.voices.voice import Voice, VoiceRef

ADA, BOB = "m3", "Annie"
TEXTS = (
    "You told me the ship would leave before dawn.",
    "The door was open when we came back from the harbour.",
    "If you had listened to me once, we would not be standing here.",
    "Somebody has to pay for all this, and it will not be me.",
)
SEGMENTS = tuple(
    Segment(
        id=str(n),
        start=5.0 * n,
        end=5.0 * n + 4.5,
        speaker=("Ada", "Bob")[n % 2],
        text=TEXTS[n // 2],
    )
    for n in range(8)
)
ADAS = [segment for segment in SEGMENTS if segment.speaker == "Ada"]


@pytest.fixture(scope="module")
def espeak() -> Iterator[Engine]:
    if not listener.available():
        unavailable("the speaker encoder")
    yield from loaded("espeak", Path())


class Speaking(System):
    ENGINES: ClassVar[Mapping[str, str]] = {"espeak": "espeak", "assembly": "assembly"}


def say(espeak: Engine, text: str, voice: str) -> Audio:
    [sound] = speak(espeak, Line(text=text, language="en", voice=voice))
    return sound


def mistake(system: Speaking, clip: str, data: bytes) -> None:
    """Have another sound stored as a line's clip, as if the engine had spoken so."""
    storage = system.client.storage
    digest = digest_of(storage.get(clip))
    storage.replace(clip, data)
    for key in list(storage.keys(Keys.results("swapped", 1))):
        result = storage.get(key).replace(digest.encode(), digest_of(data).encode())
        storage.replace(key, result)


def test_a_clip_in_another_voice_is_found_and_nothing_else(espeak: Engine, tmp_path: Path) -> None:
    cast = {"Ada": ManifestRole(voice=ADA), "Bob": ManifestRole(voice=BOB)}
    job = Manifest(id="swapped", language="en", segments=SEGMENTS, cast=cast)
    with Speaking(tmp_path / "home", engine="espeak") as system:
        assert system.run(job).state is JobState.COMPLETED
        clean = system.report(job)
        assert all(line.similarity and line.similarity > 0.75 for line in clean.lines)
        assert not [line.id for line in clean.lines if line.sounds_like]
        assert not clean.warnings

        clip = clean.lines[4].clip
        assert clip
        wrong = say(espeak, SEGMENTS[4].text, BOB)
        mistake(system, clip, encode_flac(wrong))
        other = SEGMENTS[7].model_copy(
            update={"text": "Nobody will pay for it, and least of all me."}
        )
        system.client.revise(job.model_copy(update={"segments": (*SEGMENTS[:7], other)}))
        assert system.wait("swapped").state is JobState.COMPLETED
        found = system.report(job)
    assert {line.id: line.sounds_like for line in found.lines if line.sounds_like} == {
        "4": f"stock:{BOB}"
    }
    assert found.warnings == (
        f"line 4 of Ada (stock:{ADA}) sounds like Bob (stock:{BOB}): hear it",
    )
    now, before = found.lines[4].similarity, clean.lines[4].similarity
    assert now and before and now < before


# Cloned voices.


@pytest.fixture
def storage(tmp_path: Path, espeak: Engine) -> Storage:
    """Holds a recording of each voice, in which nothing is said that the lines say."""
    storage = Storage.at(str(tmp_path / "storage"))
    for digest, voice in (("a" * 64, ADA), ("b" * 64, BOB)):
        recording = say(espeak, "Nobody knows what happened to him after the war. " * 2, voice)
        store_voice(storage, Voice(digest=digest, seconds=recording.seconds), recording)
    return storage


def assembled(storage: Storage, workdir: Path, espeak: Engine, adas: str) -> Report:
    """The report of lines in cloned voices, of which Ada's is spoken by ``adas``."""
    cloned = {"Ada": VoiceRef(digest="a" * 64), "Bob": VoiceRef(digest="b" * 64)}
    spoken_by = {"Ada": adas, "Bob": BOB}
    outcomes = {}
    for number, segment in enumerate(SEGMENTS):
        sound = say(espeak, segment.text, spoken_by[segment.speaker])
        result = SegmentResult(
            id=segment.id,
            takes=(store_take(storage, f"clip{number}", sound),),
            engine="clone",
            model="m",
            seed=0,
            attempts=1,
        )
        line = PlannedLine(id=segment.id, spoken=segment.text, speed=1, room=4.5, max_rate=1.25)
        batch = Batch(
            number=number,
            kind=Kind.SYNTHESIS,
            engine="clone",
            voice=cloned[segment.speaker],
            lines=(line,),
            deadline=60,
        )
        outcomes[segment.id] = Outcome(line, 1, batch, result)
    job = Job(id="cloned", language="en", segments=SEGMENTS)
    return assemble(job, 1, "run", outcomes, storage, workdir)


def doubted(report: Report) -> list[str]:
    return [line.id for line in report.lines if line.sounds_like]


def test_a_voice_that_is_another_s_throughout_is_found_by_its_recording(
    storage: Storage, workdir: Path, espeak: Engine
) -> None:
    right = assembled(storage, workdir, espeak, ADA)
    assert doubted(right) == []
    wrong = assembled(storage, workdir, espeak, BOB)
    assert doubted(wrong) == [segment.id for segment in ADAS]
    assert len(wrong.warnings) == len(ADAS)


@pytest.mark.parametrize("damage", ["lost", "damaged"])
def test_a_recording_that_cannot_be_read_fails_no_job(
    storage: Storage, workdir: Path, espeak: Engine, damage: str
) -> None:
    whole = assembled(storage, workdir, espeak, ADA)
    if damage == "lost":
        storage.delete(Keys.reference("a" * 64))
    else:
        storage.replace(Keys.reference("a" * 64), b"no sound")
    report = assembled(storage, workdir, espeak, ADA)
    assert report.state is JobState.COMPLETED
    assert doubted(report) == []
    # Her lines are compared with each other then.
    one, other = report.lines[0].similarity, whole.lines[0].similarity
    assert one and other and one != pytest.approx(other, abs=1e-3)
