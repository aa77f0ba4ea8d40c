"""Every engine in use: one worker holds them all, so that torch is loaded once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import tiny
from recordings import speech, write
from scenes import film
from services import unavailable
from speech import HEAVY, pitch, served
from system import SECONDS, System, script

import dubbing.system
from dubbing.engines.adapters.piper import Piper
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import missing_libraries
from dubbing.engines.published import publish
from dubbing.job import JobState, Segment
from dubbing.media.probe import probe
from dubbing.media.samples import decode_clip
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

# The first test waits until torch is imported twice and every model is there.
pytestmark = pytest.mark.timeout(300)

NAMES = Catalogue().names()
INSTALLED = [name for name in NAMES if not missing_libraries(Catalogue().create(name))]
TEXTS = ("You told me so.", "Yes, I did.")
SLOT = 2.0
"""Seconds from one line to the next."""
BASE = "piper-near"
"""An engine that the worker is not started for: it loads it when a converter needs it."""
SPEAKERS = ("Ada", "Ben")


class Engines(System):
    """A worker of every engine that can be loaded here, and the worker of assembly."""

    ENGINES = {"engines": " ".join(INSTALLED), "assembly": "assembly"}  # noqa: RUF012


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    models = tmp_path_factory.mktemp("models")
    tiny.catalogue(models, *INSTALLED)
    tiny.make("piper", models / BASE)
    system = Engines(tmp_path_factory.mktemp("engines"), slots=1, models=models)
    registry = dubbing.system.System(system.settings).registry
    with ExitStack() as stack:
        for name in INSTALLED:
            stack.enter_context(served(name, registry, tmp_path_factory.mktemp("shared")))
        stack.enter_context(system).ready(seconds=2 * SECONDS)
        yield system


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("references")
    voices = zip(SPEAKERS, ("m3", "Annie"), strict=True)
    return {who: str(write(folder / f"{who}.wav", speech(voice))) for who, voice in voices}


def test_all_engines_dub_a_film(
    system: Engines, references: dict[str, str], tmp_path: Path
) -> None:
    if missing := set(NAMES) - {*INSTALLED, *HEAVY}:
        unavailable(f"what {', '.join(missing)} needs")
    lines = [(name, text) for name in INSTALLED for text in TEXTS]
    seconds = SLOT * len(lines) + 1
    specs = {name: Catalogue().create(name).spec for name in INSTALLED}
    job = Manifest(
        id="film",
        language="en",
        segments=tuple(
            Segment(id=str(n), start=SLOT * n, end=SLOT * n + 1.8, speaker=name, text=text)
            for n, (name, text) in enumerate(lines)
        ),
        cast={
            name: ManifestRole(engine=name, reference=references["Ada"] if spec.clones else None)
            for name, spec in specs.items()
        },
        media=str(tmp_path / film(Storage.at(str(tmp_path)), seconds=seconds)),
    )
    # The worker speaks for one engine after the other.
    status = system.wait(system.client.submit(job).id, seconds=2 * SECONDS)
    report = system.report(job)
    assert [(line.engine, line.error) for line in report.lines] == [
        (name, None) for name, _ in lines
    ]
    assert status.state is JobState.COMPLETED
    paths = {path.name: path for path in system.client.fetch(job.id, tmp_path / "out")}
    dubbed = probe(paths["dub.mp4"])
    assert dubbed.has_video
    assert dubbed.channels
    assert dubbed.seconds == pytest.approx(seconds, abs=0.2)


def test_a_line_is_spoken_with_the_emotion_that_a_stored_voice_shows(
    system: Engines, tmp_path: Path
) -> None:
    client = system.client
    shown = client.voices.extract("high-spirits", [write(tmp_path / "a.wav", speech("Annie"))])
    job = Manifest.model_validate(
        {
            "id": "felt",
            "language": "en",
            "engine": "indextts",
            "segments": [
                {"id": "plain", "start": 0, "end": 5, "text": TEXTS[0]},
                {
                    "id": "felt",
                    "start": 6,
                    "end": 11,
                    "text": TEXTS[0],
                    "emotion": {"voice": "high-spirits"},
                },
            ],
            "cast": {"speaker": {"reference": str(write(tmp_path / "b.wav", speech("m3")))}},
        }
    )
    assert system.run(job).state is JobState.COMPLETED
    clips = [line.clip or "" for line in system.report(job).lines]
    plain, felt = (pitch(decode_clip(client.storage.get(clip))) for clip in clips)
    # As the server does with the recording of an emotion.
    assert felt / plain == pytest.approx((pitch(speech("Annie")) / 100) ** 0.5, rel=0.1)
    assert shown.voice.digest in client.storage.get(Keys.job("felt")).decode()
    assert client.voices.delete("high-spirits").jobs == ("felt",)


def dialogue(name: str, references: Mapping[str, str], **fields: Any) -> Manifest:
    """A job of two speakers who are converted; ``fields`` are those of their roles."""
    job = script(name, *TEXTS, language="en", engine="openvoice")
    segments = [
        segment.model_copy(update={"speaker": who})
        for segment, who in zip(job.segments, SPEAKERS, strict=True)
    ]
    cast = {who: {"reference": path, **fields} for who, path in references.items()}
    return Manifest.model_validate({**job.model_dump(), "segments": segments, "cast": cast})


def clips(system: System, job: Manifest) -> set[str]:
    assert system.run(job).state is JobState.COMPLETED, system.log("engines")[-3000:]
    return {line.clip for line in system.report(job).lines if line.clip}


def test_a_converter_speaks_in_cloned_voices_over_a_base(
    system: Engines, references: dict[str, str]
) -> None:
    job = dialogue("cloned", references)
    keys = clips(system, job)
    lines = system.report(job).lines
    assert {line.engine for line in lines} == {"openvoice"}
    bases = [line.voice.partition(" over ")[2] for line in lines]
    assert bases == ["espeak:m3", "espeak:Annie"]
    assert len({line.voice for line in lines}) == len(SPEAKERS)
    rates = {decode_clip(system.client.storage.get(key)).rate for key in keys}
    assert rates == {22050}


def test_the_base_and_its_voice_are_part_of_a_clips_key(
    system: Engines, references: dict[str, str]
) -> None:
    jobs = {
        "same": dialogue("one", references, voice="m3"),
        "voice": dialogue("two", references, voice="Annie"),
        "base": dialogue("three", references, base=BASE, voice="amy"),
        "base voice": dialogue("four", references, base=BASE, voice="ben"),
    }
    for job in jobs.values():
        system.client.submit(job)
    found = {what: clips(system, job) for what, job in jobs.items()}
    assert len(set.union(*found.values())) == len(jobs) * len(TEXTS)
    again = dialogue("again", references, base=BASE, voice="ben")
    assert system.client.preview(again).clips_there == len(TEXTS)
    assert clips(system, again) == found["base voice"]


def test_a_revised_base_is_heard_in_its_speakers_lines_alone(
    system: Engines, references: dict[str, str]
) -> None:
    job = dialogue("revised", references, voice="m8")
    clips(system, job)
    before = {line.id: line.clip for line in system.report(job).lines}
    cast = {**job.cast, "Ben": job.cast["Ben"].model_copy(update={"base": BASE, "voice": "amy"})}
    system.client.revise(job.model_copy(update={"cast": cast}))
    assert system.wait(job.id).state is JobState.COMPLETED
    lines = system.report(job).lines
    assert [line.speaker for line in lines if line.clip != before[line.id]] == ["Ben"]
    assert {line.voice.partition(" over ")[2] for line in lines} == {"espeak:m8", f"{BASE}:amy"}


def test_a_base_that_the_worker_lacks_is_named(
    system: Engines, references: dict[str, str], tmp_path: Path
) -> None:
    # Another worker speaks with it, on a machine that has its model.
    tiny.make("piper", tmp_path / "elsewhere")
    engine = Piper("piper-far", tmp_path / "elsewhere")
    engine.load("cpu")
    publish(system.client.storage, engine)
    job = dialogue("lacking", references, base="piper-far", voice="amy")
    system.client.submit(job)
    assert system.wait(job.id).state is JobState.FAILED
    errors = [line.error for line in system.report(job).lines]
    assert [error and error.code for error in errors] == ["engine_missing"] * len(TEXTS)
    assert all(error and "'piper-far'" in error.message for error in errors)
