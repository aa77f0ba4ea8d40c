"""Every engine in use: a film goes in, a worker speaks with the tiny model, a dubbed one comes out.

One worker holds them all, so that torch is loaded once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import tiny
from recordings import speech, write
from scenes import film
from services import unavailable
from speech import HEAVY, pitch, served
from system import System

import dubbing.system
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import missing_libraries
from dubbing.job import JobState, Segment
from dubbing.media.probe import probe
from dubbing.media.samples import decode_clip
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

NAMES = Catalogue().names()
INSTALLED = [name for name in NAMES if not missing_libraries(Catalogue().create(name))]
TEXTS = ("You told me so.", "Yes, I did.", "Then we shall go home now.", "Not without him.")
SECONDS = 25.0


class Engines(System):
    """A worker of every engine that can be loaded here, and the worker of assembly."""

    ENGINES = {"engines": " ".join(INSTALLED), "assembly": "assembly"}  # noqa: RUF012


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Engines]:
    tiny.catalogue(models, *INSTALLED)
    system = Engines(tmp_path_factory.mktemp("engines"), slots=1, models=models)
    registry = dubbing.system.System(system.settings).registry
    with ExitStack() as stack:
        for name in INSTALLED:
            stack.enter_context(served(name, registry, tmp_path_factory.mktemp("shared")))
        stack.enter_context(system).ready()
        yield system


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_dubs_a_film(name: str, system: Engines, models: Path, tmp_path: Path) -> None:
    if name not in INSTALLED:
        if name in HEAVY:
            pytest.skip(f"what {name} needs is missing")
        unavailable(f"what {name} needs")
    spec = tiny.catalogue(models).create(name).spec
    reference = str(write(tmp_path / "reference.wav", speech()))
    job = Manifest(
        id=f"film-{name}",
        language="en" if spec.covers("en") else spec.languages[0],
        engine=name,
        segments=tuple(
            Segment(id=str(n), start=6.0 * n, end=6.0 * n + 5.5, text=text)
            for n, text in enumerate(TEXTS)
        ),
        cast={"speaker": ManifestRole(reference=reference) if spec.clones else ManifestRole()},
        media=str(tmp_path / film(Storage.at(str(tmp_path)), seconds=SECONDS)),
    )
    status = system.run(job)
    report = system.report(job)
    assert [line.error for line in report.lines] == [None] * len(TEXTS)
    assert {line.engine for line in report.lines} == {name}
    assert status.state is JobState.COMPLETED
    paths = {path.name: path for path in system.client.fetch(job.id, tmp_path / "out")}
    dubbed = probe(paths["dub.mp4"])
    assert dubbed.has_video
    assert dubbed.channels
    assert dubbed.seconds == pytest.approx(SECONDS, abs=0.2)


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
