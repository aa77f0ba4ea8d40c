"""A converter over a cheap engine: cloned voices, by one worker that holds both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import tiny
from recordings import speech, write
from scenes import film
from services import unavailable
from system import System, script

from dubbing.engines.adapters.piper import Piper
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import missing_libraries
from dubbing.engines.published import publish
from dubbing.job import JobState
from dubbing.media.probe import probe
from dubbing.media.samples import decode_clip
from dubbing.script.manifest import Manifest
from dubbing.storage import Storage

TEXTS = ("You told me so.", "Yes, I did.", "Then we shall go home now.", "Not without him.")
SPEAKERS = ("Ada", "Ben")


class Converters(System):
    """A worker of OpenVoice, which loads a base when a line needs it, and one of assembly."""

    ENGINES: ClassVar[Mapping[str, str]] = {"openvoice": "openvoice", "assembly": "assembly"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Converters]:
    for name in ("openvoice", "espeak", "piper"):
        if missing := missing_libraries(Catalogue().create(name)):
            unavailable(", ".join(missing))
    tiny.catalogue(models, "openvoice", "piper")
    with Converters(tmp_path_factory.mktemp("converters"), slots=1, models=models) as system:
        system.ready()
        yield system


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("references")
    voices = zip(SPEAKERS, ("m3", "Annie"), strict=True)
    return {who: str(write(folder / f"{who}.wav", speech(voice))) for who, voice in voices}


def dialogue(name: str, references: Mapping[str, str], **fields: Any) -> Manifest:
    """A job of two speakers who are converted; ``fields`` are their roles' too, or the job's."""
    role = {key: fields.pop(key) for key in ("base", "voice") if key in fields}
    job = script(name, *TEXTS, language="en", engine="openvoice", **fields)
    segments = [
        segment.model_copy(update={"speaker": SPEAKERS[n % 2]})
        for n, segment in enumerate(job.segments)
    ]
    cast = {who: {"reference": path, **role} for who, path in references.items()}
    return Manifest.model_validate({**job.model_dump(), "segments": segments, "cast": cast})


def clips(system: System, job: Manifest) -> set[str]:
    assert system.run(job).state is JobState.COMPLETED, system.log("openvoice")[-3000:]
    return {line.clip for line in system.report(job).lines if line.clip}


def test_a_film_is_dubbed_in_cloned_voices(
    system: Converters, references: dict[str, str], tmp_path: Path
) -> None:
    source = tmp_path / film(Storage.at(str(tmp_path)), seconds=22.0)
    job = dialogue("film", references, media=str(source))
    keys = clips(system, job)
    lines = system.report(job).lines
    assert {line.engine for line in lines} == {"openvoice"}
    assert [line.voice.partition(" over ")[2] for line in lines] == [
        "espeak:m3",
        "espeak:Annie",
    ] * 2
    assert len({line.voice for line in lines}) == len(SPEAKERS)
    rates = {decode_clip(system.client.storage.get(key)).rate for key in keys}
    assert rates == {22050}
    paths = {path.name: path for path in system.client.fetch(job.id, tmp_path / "out")}
    dubbed = probe(paths["dub.mp4"])
    assert dubbed.has_video
    assert dubbed.channels
    assert dubbed.seconds == pytest.approx(22.0, abs=0.2)


def test_the_base_and_its_voice_are_part_of_a_clips_key(
    system: Converters, references: dict[str, str]
) -> None:
    jobs = {
        "same": dialogue("one", references, voice="m3"),
        "voice": dialogue("two", references, voice="Annie"),
        "base": dialogue("three", references, base="piper", voice="amy"),
        "base voice": dialogue("four", references, base="piper", voice="ben"),
    }
    found = {what: clips(system, job) for what, job in jobs.items()}
    assert len(set.union(*found.values())) == len(jobs) * len(TEXTS)
    again = dialogue("again", references, base="piper", voice="ben")
    assert system.client.preview(again).clips_there == len(TEXTS)
    assert clips(system, again) == found["base voice"]


def test_a_revised_base_is_heard_in_its_speakers_lines_alone(
    system: Converters, references: dict[str, str]
) -> None:
    job = dialogue("revised", references, voice="m8")
    clips(system, job)
    before = {line.id: line.clip for line in system.report(job).lines}
    cast = {**job.cast, "Ben": job.cast["Ben"].model_copy(update={"base": "piper", "voice": "amy"})}
    system.client.revise(job.model_copy(update={"cast": cast}))
    assert system.wait(job.id).state is JobState.COMPLETED
    lines = system.report(job).lines
    assert [line.speaker for line in lines if line.clip != before[line.id]] == ["Ben", "Ben"]
    assert {line.voice.partition(" over ")[2] for line in lines} == {"espeak:m8", "piper:amy"}


def test_a_base_that_the_worker_lacks_is_named(
    system: Converters, references: dict[str, str], tmp_path: Path
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
