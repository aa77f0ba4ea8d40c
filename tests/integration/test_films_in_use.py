"""Films on their way through a job: how long the dub is, and whose sound is in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from films import CASES, make, tracks
from recordings import speech
from scenes import SEGMENTS, dub, ffmpeg, heard, lose, scene, spoken, store_round, store_take, voice
from speech import pitch

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.published import known_specs
from dubbing.errors import BadInput
from dubbing.job import Background, Job, Output, Segment
from dubbing.media.probe import RATE
from dubbing.media.samples import Samples
from dubbing.script.manifest import SOURCE, Manifest, ManifestRole
from dubbing.storage import Storage
from dubbing.submission.intake import Intake
from dubbing.submission.sources import Sources
from dubbing.voices.forms import load_reference

PITCHES = {"por": 700, None: 500}
"""What is heard of the film, in Hz, by the track that is asked."""


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


def stored(storage: Storage, film: Path) -> str:
    """Put a film into storage; return its key."""
    place = Path(storage.url) / "media" / film.name
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(film, place)
    return f"media/{film.name}"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 s with three sound tracks, of which the second is the default."""
    folder = tmp_path_factory.mktemp("film")
    short = tracks(
        folder / "short.mkv",
        [(300, "eng"), (500, "ger"), (700, "por")],
        *("-disposition:a:0", "0", "-disposition:a:1", "default", "-disposition:a:2", "0"),
    )
    ffmpeg("-stream_loop", "3", "-i", short, "-map", "0", "-c", "copy", folder / "film.mkv")
    return folder / "film.mkv"


def note(track: Samples, start: float, end: float) -> float:
    """Return the frequency that is loudest, to the next hundred."""
    part = track[round(start * RATE) : round(end * RATE), 0]
    strongest = np.argmax(np.abs(np.fft.rfft(part))) * RATE / len(part)
    return float(np.round(strongest, -2))


@pytest.mark.parametrize("asked", PITCHES)
def test_the_background_is_the_track_that_was_asked(
    storage: Storage, workdir: Path, film: Path, asked: str | None
) -> None:
    job = scene(
        storage,
        media=stored(storage, film),
        media_track=asked,
        output=Output(formats=("flac",)),
    )
    track = heard(dub(job, storage, workdir), storage, "dub.flac", 1)
    assert note(track, 19, 23) == PITCHES[asked]


@pytest.mark.parametrize("asked", PITCHES)
def test_what_is_heard_in_place_of_a_missing_line_is_the_track_that_was_asked(
    storage: Storage, workdir: Path, film: Path, asked: str | None
) -> None:
    job = scene(
        storage,
        media=stored(storage, film),
        media_track=asked,
        background=Background(mode="none"),
        allow_missing=0.5,
        output=Output(formats=("flac",)),
    )
    lose(storage, job, "2")
    track = heard(dub(job, storage, workdir, 2), storage, "dub.flac", 1)
    assert note(track, 4.6, 6.4) == PITCHES[asked]
    assert not track[20 * RATE :].any()


@pytest.mark.parametrize(("asked", "language"), [("1", "eng"), (None, "ger")])
def test_the_original_sound_is_the_track_that_was_asked(
    storage: Storage, workdir: Path, film: Path, asked: str | None, language: str
) -> None:
    output = Output(formats=("mp4",), original_sound=True)
    job = scene(storage, media=stored(storage, film), media_track=asked, output=output)
    report = dub(job, storage, workdir)
    path = storage.path(next(of.key for of in report.outputs if of.name == "dub.mp4"))
    with av.open(str(path)) as container:
        new, original, *others = [stream.language for stream in container.streams.audio]
    assert (new, original) == ("deu", language)
    assert {original, *others} == {"eng", "ger", "por"}


def test_a_track_that_is_not_there_fails_the_assembly_with_those_that_are(
    storage: Storage, workdir: Path, film: Path
) -> None:
    job = scene(storage, media=stored(storage, film), media_track="fr")
    with pytest.raises(BadInput, match=r"no sound track 'fr': 1 is aac.*eng; 2 is .*; 3 is .*por"):
        dub(job, storage, workdir)


def intake(storage: Storage, media: Path, **wishes: Any) -> Intake:
    plain = {"language": "en", "engine": "tone", "media": str(media)}
    cue = Segment(id="1", start=0.5, end=4.5, speaker="Ada", text="You told me.")
    manifest = Manifest(**{**plain, "segments": [cue], **wishes})
    return Intake(Sources(storage), manifest, known_specs(storage, Catalogue()))


def test_a_voice_from_the_film_is_cut_from_the_track_that_was_asked(
    storage: Storage, tmp_path: Path
) -> None:
    inputs: list[Any] = []
    for name in ("m3", "Annie"):
        soundfile.write(tmp_path / f"{name}.wav", speech(name).samples, speech(name).rate)
        inputs += ["-i", tmp_path / f"{name}.wav"]
    film = tmp_path / "film.mka"
    ffmpeg(*inputs, "-map", "0", "-map", "1", "-c:a", "flac", film)
    cast = {"Ada": ManifestRole(reference=SOURCE)}
    heard = {}
    for asked in (None, "2"):
        taken = intake(storage, film, media_track=asked, cast=cast)
        taken.inspect()
        taken.listen()
        taken.upload()
        digest = taken.stored.cast["Ada"].clone
        assert digest
        heard[asked] = pitch(load_reference(storage, digest))
    assert heard[None] == pytest.approx(pitch(speech("m3")), rel=0.1)
    assert heard["2"] == pytest.approx(pitch(speech("Annie")), rel=0.1)


def test_a_track_that_is_not_there_is_refused_before_anything_is_stored(
    storage: Storage, film: Path
) -> None:
    with pytest.raises(BadInput, match=r"^film\.mkv: there is no sound track '4': 1 is aac"):
        intake(storage, film, media_track="4").inspect()
    assert list(storage.keys("")) == []


@pytest.mark.parametrize("formats", [(), ("mp4",), ("mkv",), ("flac", "mkv")])
def test_a_picture_that_cannot_be_copied_is_refused_before_anything_is_stored(
    storage: Storage, tmp_path: Path, formats: tuple[Any, ...]
) -> None:
    film = make(tmp_path / "film.avi", "-c:v", "libx264", "-bf", "2")
    with pytest.raises(BadInput, match=r"^film\.avi: .*when its frames are shown"):
        intake(storage, film, output=Output(formats=formats)).inspect()
    sound_alone = intake(storage, film, output=Output(formats=("flac",)))
    assert sound_alone.inspect() == pytest.approx(6.0, abs=0.1)
    assert list(storage.keys("")) == []


def test_a_dub_is_as_long_as_picture_and_sound_and_not_as_old_subtitles(
    storage: Storage, workdir: Path
) -> None:
    assert intake(storage, CASES / "longsubs.mkv").inspect() == pytest.approx(12.0, abs=0.05)
    media = stored(storage, CASES / "longsubs.mkv")
    job = Job(id="film", language="de", segments=SEGMENTS[:2], media=media)
    takes = [store_take(storage, f"clip{line.id}", voice(1.5)) for line in job.segments]
    results = [spoken(line, take) for line, take in zip(job.segments, takes, strict=True)]
    store_round(storage, job, 1, results)
    report = dub(job, storage, workdir)
    assert report.seconds == pytest.approx(12.0, abs=0.05)
    track = heard(report, storage, "dub.mp4", 2)
    assert len(track) == pytest.approx(12 * RATE, abs=0.05 * RATE)
