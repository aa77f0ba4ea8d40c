"""Refusals of voices and cautions about films, while a job is only read."""

from __future__ import annotations

from pathlib import Path

import pytest
from recordings import speech, write

from dubbing.engines.adapters.tone import Tone
from dubbing.errors import BadInput
from dubbing.job import Segment
from dubbing.media.ffmpeg import FFmpeg
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.storage import Storage
from dubbing.submission.intake import Intake
from dubbing.submission.sources import Sources
from dubbing.voices.library import Voices

SPECS = {"needy": Tone.spec.model_copy(update={"name": "needy", "needs_transcript": True})}


def intake(storage: Storage, role: ManifestRole) -> Intake:
    line = Segment(id="1", start=0, end=2, text="Good day.")
    job = Manifest(language="en", engine="needy", segments=(line,), cast={"speaker": role})
    return Intake(Sources(storage), job, SPECS)


def test_a_voice_without_its_words_is_refused_for_an_engine_that_needs_them(
    tmp_path: Path,
) -> None:
    storage = Storage.at(str(tmp_path / "storage"))
    path = write(tmp_path / "a.wav", speech())
    voices = Voices(storage, lambda: SPECS)
    voices.extract("told", [path], transcript="Good day to all of you.")
    voices.extract("untold", [path])
    intake(storage, ManifestRole(voice="told")).inspect()
    roles = (
        ManifestRole(voice="untold"),
        ManifestRole(reference=str(path)),
        ManifestRole(reference="source"),
    )
    of_another = Voices(storage, lambda: SPECS, "acme")
    of_another.extract("theirs", [path], transcript="Good day to all of you.")
    assert intake(storage, ManifestRole(voice="theirs")).stored_voices == ["told", "untold"]
    for role in roles:
        with pytest.raises(
            BadInput, match=r"'needy' needs the transcript of a reference.*'speaker'"
        ):
            intake(storage, role).inspect()


@pytest.mark.parametrize(("seconds", "told"), [(0.05, 0), (0.4, 1)])
def test_a_film_whose_sound_begins_before_its_picture_is_told(
    tmp_path: Path, seconds: float, told: int
) -> None:
    sound, film = write(tmp_path / "a.wav", speech()), tmp_path / "film.mkv"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1"]
    arguments = ["-itsoffset", str(seconds), *picture, "-i", f"{sound}", "-c:a", "flac", f"{film}"]
    with FFmpeg(arguments) as ffmpeg:
        ffmpeg.finish("film", timeout=60)
    line = Segment(id="1", start=0, end=2, text="Good day.")
    job = Manifest(language="en", engine="needy", segments=(line,), media=str(film))
    cautions = Intake(Sources(Storage.at(str(tmp_path / "storage"))), job, SPECS).look()
    assert [one.code for one in cautions] == ["early_sound"] * told
    assert all("begins 0.40 s before its picture" in one.message for one in cautions)
