"""Voices as people use them: extracted once, named in casts, cut from the film, deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import s3_server as s3
import soundfile
from console import wait_until
from recordings import RATE, noisy, silence, speech, write
from services import PLUGINS
from speech import pitch
from system import System, numbered, script

from dubbing import cli
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.published import known_specs
from dubbing.errors import BadInput
from dubbing.job import Job, JobState, Segment
from dubbing.media.samples import Audio, decode_clip
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.storage import S3Options, Storage
from dubbing.storage.keys import Keys
from dubbing.submission.intake import Intake
from dubbing.submission.sources import Sources
from dubbing.voices.store import load_reference, load_voice

LINE = {"id": "1", "start": 1, "end": 3, "text": "Good day."}


class TwoEngines(System):
    """Two engines that clone, each with a worker of its own, and one that cannot, without."""

    ENGINES: ClassVar[Mapping[str, str]] = {
        "faulty": "faulty",
        "tone": "tone",
        "assembly": "assembly",
    }


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with TwoEngines(tmp_path_factory.mktemp("voices"), slots=1) as system:
            yield system


@pytest.fixture
def shell(
    system: System,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DUBBING_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DUBBING_HOME", str(system.settings.home))
    monkeypatch.setenv("DUBBING_REDIS_URL", system.settings.redis_url)
    return Shell(capsys)


class Shell:
    """The command line, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object, code: int = 0) -> str:
        """Run a command to its end, which is ``code``; return all that it said."""
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        assert (ended.value.code or 0) == code, out + err
        return out + err

    def json(self, *arguments: object, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code))


def stored(system: System) -> set[str]:
    """All that is stored of voices and jobs."""
    return {
        key
        for prefix in ("voices", "voice-names", "jobs", "open")
        for key in system.client.storage.keys(prefix)
    }


def source(path: Path, *voices: str) -> list[Segment]:
    """Write a film's sound in which speakers A, B, … speak by turns; return its cues."""
    texts = ("The ship left before dawn with all of us.", "There was nothing in the letter.")
    samples, segments = [silence(0.5)], []
    for text in texts:
        for speaker, voice in zip("AB", voices, strict=True):
            start = sum(map(len, samples)) / RATE
            samples += [speech(voice, text).samples, silence(0.5)]
            end = sum(map(len, samples)) / RATE - 0.5
            segments.append(
                Segment(id=str(len(segments)), start=start, end=end, speaker=speaker, text=text)
            )
    soundfile.write(path, np.concatenate(samples), RATE)
    return segments


def test_a_voice_is_extracted_listed_shown_renamed_and_deleted(
    shell: Shell, tmp_path: Path
) -> None:
    one = write(tmp_path / "one.wav", speech("Annie"), "mp3")
    two = write(tmp_path / "two.flac", speech("Annie", "There was nothing in the letter."), "m4a")
    made = shell.json(
        "voices", "extract", "--name", "ada", "--reference", one, two,
        "--transcript", "You told me", "--language", "en", "--consent", "by letter",
    )  # fmt: skip
    digest = made["voice"]["digest"]
    assert made["voice"]["provenance"] == ["one.wav", "two.flac"]
    assert [named["name"] for named in shell.json("voices", "list")] == ["ada"]
    assert "ada\t" in shell("voices", "list")
    shown = shell.json("voices", "show", "ada")
    assert shown["voice"] == made["voice"]
    assert set(shown["fits"]) >= {"faulty", "tone"}
    assert "by letter" in shell("voices", "show", digest)
    assert "'ada' is no" not in shell("voices", "rename", "ada", "countess")
    assert "there is no voice 'ada'" in shell("voices", "show", "ada", code=2)
    assert "deleted, with its recording" in shell("voices", "delete", "countess")
    assert shell.json("voices", "list") == []


def test_what_cannot_serve_is_refused_and_nothing_is_stored(
    shell: Shell, system: System, tmp_path: Path
) -> None:
    before = stored(system)
    bad = write(tmp_path / "bad.wav", noisy(speech(), 8))
    (tmp_path / "text.wav").write_text("no sound")
    short = write(tmp_path / "short.wav", Audio(samples=speech().samples[: RATE // 2], rate=RATE))
    extract = ("voices", "extract", "--name", "bob", "--reference")
    assert "bad.wav" in (said := shell(*extract, bad, code=2))
    assert "15 are needed" in said
    assert "text.wav: not a film or sound file" in shell(*extract, tmp_path / "text.wav", code=2)
    assert "no such file" in shell(*extract, tmp_path / "none.wav", code=2)
    assert "short.wav: 0.5 s of speech are too short" in shell(*extract, short, code=2)
    good = write(tmp_path / "good.wav", speech())
    assert "does not clone voices" in shell(*extract, good, "--engine", "espeak", code=2)
    assert stored(system) == before


@pytest.mark.parametrize("name", ["../x", "a/b", "", "/etc/passwd", "..", "ab" * 32 + "/../x"])
def test_a_name_that_is_a_path_is_refused_by_every_command(
    shell: Shell, system: System, tmp_path: Path, name: str
) -> None:
    recording = write(tmp_path / "ada.wav", speech())
    before = stored(system)
    extract = ("voices", "extract", "--reference", recording, "--name", name)
    assert "cannot name a voice" in shell(*extract, code=2)
    assert "there is no voice" in shell("voices", "show", "--", name, code=2)
    assert "there is no voice" in shell("voices", "delete", "--", name, code=2)
    assert "there is no voice" in shell("voices", "rename", "--", name, "eve", code=2)
    manifest = {"language": "en", "engine": "tone", "segments": [LINE]}
    (tmp_path / "job.json").write_text(
        json.dumps({**manifest, "cast": {"speaker": {"voice": name}}})
    )
    said = shell("submit", "job.json", code=2)
    assert "has no voice" in said or "cast.speaker.voice" in said
    said = shell("say", "Good day.", "--engine", "tone", "--voice", name, code=2 if name else 0)
    assert not name or "has no voice" in said
    if name:
        with pytest.raises(BadInput, match="has no voice"):
            system.client.submit(
                script(
                    "bad", "Good day.", engine="tone", cast={"speaker": ManifestRole(voice=name)}
                )
            )
    assert stored(system) == before


def test_a_voice_that_was_extracted_once_is_used_by_two_engines(
    shell: Shell, system: System, tmp_path: Path
) -> None:
    client = system.client
    ada = client.voices.extract("ada", [write(tmp_path / "a.wav", speech("Annie"))]).voice
    cast = {"speaker": ManifestRole(voice="ada"), "other": ManifestRole(voice="ada", engine="tone")}
    job = script("two", *numbered("Two", 4), cast=cast)
    segments = [
        line.model_copy(update={"speaker": "other"}) if n % 2 else line
        for n, line in enumerate(job.segments)
    ]
    job = job.model_copy(update={"segments": tuple(segments)})
    assert system.run(job).state is JobState.COMPLETED
    lines = system.report(job).lines
    assert {line.voice for line in lines} == {f"voice:{ada.digest}"}
    assert {line.engine for line in lines} == {"faulty", "tone"}
    for line in lines:
        assert line.clip
        clip = decode_clip(client.storage.get(line.clip))
        assert pitch(clip) == pytest.approx(pitch(speech("Annie")), rel=0.15)
    shown = client.voices.show("ada")
    assert {form.partition("-")[0] for form in shown.forms} == {"faulty", "tone"}
    assert shown.jobs == ("two",)

    said = shell("voices", "delete", "ada")
    assert "the recording is kept: these jobs use it: two" in said
    assert load_voice(client.storage, ada.digest) == ada
    revised = job.model_copy(
        update={
            "cast": {
                who: ManifestRole(voice=ada.digest, engine=role.engine)
                for who, role in cast.items()
            },
            "segments": (*segments[:3], segments[3].model_copy(update={"text": "Another end."})),
        }
    )
    assert client.revise(revised).created
    assert system.wait("two").state is JobState.COMPLETED
    assert [line.text for line in system.report(job).lines][-1] == "Another end."


def test_a_name_means_the_voice_that_it_had_when_the_job_came(
    system: System, tmp_path: Path
) -> None:
    voices = system.client.voices
    first = voices.extract("eve", [write(tmp_path / "a.wav", speech("Annie"))]).voice
    job = script("early", *numbered("Early", 1), cast={"speaker": ManifestRole(voice="eve")})
    system.client.submit(job)
    voices.rename("eve", "old-eve")
    second = voices.extract("eve", [write(tmp_path / "b.wav", speech("m3"))]).voice
    assert first.digest != second.digest
    system.wait("early")
    assert system.report(job).lines[0].voice == f"voice:{first.digest}"


def test_an_unknown_voice_is_told_beside_those_that_there_are(
    shell: Shell, system: System, tmp_path: Path
) -> None:
    system.client.voices.extract("marlene", [write(tmp_path / "a.wav", speech())])
    manifest = {"language": "en", "engine": "tone", "segments": [LINE]}
    for voice, engine, words in (
        ("marlen", "tone", "engine 'tone' has no voice 'marlen'; did you mean 'marlene'?"),
        ("lwo", "tone", "did you mean 'low'?"),
        ("marlene", "espeak", "engine 'espeak' does not clone voices"),
    ):
        cast = {"speaker": {"voice": voice, "engine": engine}}
        (tmp_path / "job.json").write_text(json.dumps({**manifest, "cast": cast}))
        assert words in shell("submit", "job.json", code=2)


def test_a_line_is_said_and_retried_in_a_stored_voice(system: System, tmp_path: Path) -> None:
    client = system.client
    digest = client.voices.extract("greta", [write(tmp_path / "a.wav", speech("Annie"))])
    clip = client.say("Good day to all of you.", language="en", engine="tone", voice="greta")
    assert pitch(clip) == pytest.approx(pitch(speech("Annie")), rel=0.15)
    job = script("again", "It will not. <silence>", "It will.")
    assert system.run(job).failed == 1
    client.retry("again", engine="tone", voice="greta")
    assert system.wait("again").state is JobState.COMPLETED
    voices = [line.voice for line in system.report(job).lines]
    assert voices[0] == f"voice:{digest.voice.digest}" != voices[1]


def test_speakers_keep_the_voices_that_they_have_in_the_film(
    system: System, tmp_path: Path
) -> None:
    segments = source(tmp_path / "film.wav", "m3", "Annie")
    job = Manifest(
        id="from-source", language="en", segments=tuple(segments),
        media=str(tmp_path / "film.wav"),
        cast={who: ManifestRole(reference="source") for who in "AB"},
    )  # fmt: skip
    assert system.run(job).state is JobState.COMPLETED
    lines = system.report(job).lines
    for line, voice in zip(lines, ["m3", "Annie"] * 2, strict=True):
        digest = line.voice.removeprefix("voice:")
        kept = load_voice(system.client.storage, digest)
        reference = load_reference(system.client.storage, digest)
        assert pitch(reference) == pytest.approx(pitch(speech(voice)), rel=0.1)
        media = load_media(system, "from-source")
        assert kept.provenance == (f"source: {media}, speaker {line.speaker}",)
    assert len({line.voice for line in lines}) == 2

    assert not system.client.submit(job).created
    assert not system.client.revise(job).created
    changed = segments[0].model_copy(update={"text": "The ship left after dawn with none of us."})
    revised = job.model_copy(update={"segments": (changed, *segments[1:])})
    assert system.client.revise(revised).created
    assert system.wait("from-source").state is JobState.COMPLETED
    again = system.report(revised).lines
    assert [line.voice for line in again] == [line.voice for line in lines]
    assert [a.clip == b.clip for a, b in zip(again, lines, strict=True)] == [
        False,
        True,
        True,
        True,
    ]


def load_media(system: System, job_id: str) -> str | None:
    return Job.model_validate_json(system.client.storage.get(Keys.job(job_id))).media


def test_a_film_with_too_little_of_a_speaker_is_refused_and_not_stored(
    shell: Shell, system: System, tmp_path: Path
) -> None:
    segments = source(tmp_path / "film.wav", "m3", "Annie")
    manifest = {
        "language": "en", "engine": "tone", "media": "film.wav",
        "segments": [line.model_dump() for line in segments[:3]],
        "cast": {"B": {"reference": "source"}},
    }  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(manifest))
    # The last test's job may still be marked.
    system.unmarked("from-source")
    before = stored(system)
    said = shell("submit", "job.json", code=2)
    assert "s of clean speech are heard in the film where 'B' speaks" in said
    assert "3 s are needed" in said
    manifest["cast"] = {"B": {"reference": "./source"}}
    (tmp_path / "job.json").write_text(json.dumps(manifest))
    assert f"there is no file {tmp_path / 'source'}" in shell("submit", "job.json", code=2)
    manifest |= {"cast": {"B": {"reference": "source"}}, "media": None}
    (tmp_path / "job.json").write_text(json.dumps(manifest))
    assert "the voice of 'B' comes from the film" in shell("submit", "job.json", code=2)
    assert stored(system) == before


def test_a_doubtful_reference_is_used_with_a_warning(
    shell: Shell, system: System, tmp_path: Path
) -> None:
    write(tmp_path / "b.wav", noisy(speech(), 17))
    manifest = {
        "id": "doubtful", "language": "en", "engine": "tone", "segments": [LINE],
        "cast": {"speaker": {"reference": "b.wav"}},
    }  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(manifest))
    assert "warning: job.json: the voice of 'speaker': 1" in shell("submit", "job.json")
    wait_until(
        lambda: system.client.status("doubtful").state.ended, seconds=60, what="the job's end"
    )


def test_films_and_references_on_s3_are_fetched_to_be_heard(
    s3_options: S3Options, tmp_path: Path
) -> None:
    bucket = f"s3://{s3.BUCKETS[0]}/voices"
    storage = Storage.at(bucket, s3_options)
    segments = source(tmp_path / "film.wav", "m3", "Annie")
    storage.upload("film.wav", tmp_path / "film.wav")
    storage.upload("eve.mp3", write(tmp_path / "eve.mp3", speech("f1"), "mp3"))
    job = Manifest(
        language="en", engine="tone", media=f"{bucket}/film.wav",
        segments=(*segments, Segment(id="9", start=20, end=22, speaker="E", text="I am Eve.")),
        cast={
            "A": ManifestRole(reference="source"),
            "E": ManifestRole(reference=f"{bucket}/eve.mp3"),
        },
    )  # fmt: skip
    intake = Intake(Sources(storage), job, known_specs(storage, Catalogue()))
    assert intake.inspect() is None
    assert intake.listen() == []
    intake.upload()
    cast = intake.stored.cast
    digests = {who: role.clone or "" for who, role in cast.items()}
    assert load_voice(storage, digests["E"]).provenance == ("eve.mp3",)
    assert load_voice(storage, digests["A"]).provenance == (
        f"source: {bucket}/film.wav, speaker A",
    )
    assert pitch(load_reference(storage, digests["A"])) == pytest.approx(
        pitch(speech("m3")), rel=0.1
    )
    assert intake.stored.media == f"{bucket}/film.wav"
    assert not list(Path(os.environ["TMPDIR"]).glob("dubbing-*/film.wav"))


def test_a_voice_from_the_film_is_cut_from_what_is_said_and_not_from_sounds(tmp_path: Path) -> None:
    segments = source(tmp_path / "film.wav", "m3", "Annie")
    # What the script calls a sound is in another's voice here, so it would be heard in the cut.
    sounds = [
        segment.model_copy(update={"speaker": "A", "text": "♪ La ♪"})
        if segment.speaker == "B"
        else segment
        for segment in segments
    ]

    def cut(*lines: Segment) -> str | None:
        storage = Storage.at(str(tmp_path / "storage"))
        job = Manifest(
            language="en", engine="tone", media=str(tmp_path / "film.wav"), segments=lines,
            cast={"A": ManifestRole(reference="source")},
        )  # fmt: skip
        intake = Intake(Sources(storage), job, known_specs(storage, Catalogue()))
        intake.listen()
        return intake.stored.cast["A"].clone

    alone = [segment for segment in segments if segment.speaker == "A"]
    assert cut(*sounds) == cut(*alone)
