"""Retries, revisions, fallbacks and lines that may be missing, by real worker processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from services import PLUGINS
from system import System, numbered, script

from dubbing.assembly.report import Report
from dubbing.assembly.report_line import ReportLine
from dubbing.engines.adapters.tone import Tone
from dubbing.errors import BadInput, Conflict, NotFound
from dubbing.job import JobState, Segment
from dubbing.jobs.store import load_job, load_round
from dubbing.media.samples import decode_clip
from dubbing.planning.plan import Reason
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.storage.keys import Keys

COMPLETED, FAILED = JobState.COMPLETED, JobState.FAILED


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with a second engine, which speaks whatever it is given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("home")) as system:
            system.start("tone")
            yield system


def lines(system: System, job: Manifest) -> dict[str, ReportLine]:
    return {line.id: line for line in system.report(job).lines}


def changed(job: Manifest, **texts: str) -> Manifest:
    """The job with other texts, by the lines' numbers as ``line_3``."""
    segments = tuple(
        segment.model_copy(update={"text": texts.get(f"line_{segment.id}", segment.text)})
        for segment in job.segments
    )
    return job.model_copy(update={"segments": segments})


def revise(system: System, job: Manifest) -> Report:
    """Revise a job, wait for its end and return its report."""
    assert system.client.revise(job).created
    assert system.wait(job.id).state is COMPLETED
    return system.report(job)


# Revisions.


def test_a_revision_speaks_only_the_lines_that_are_changed_and_says_which(system: System) -> None:
    job = script("revised", *numbered("revised", 12))
    assert system.run(job).state is COMPLETED
    assert len(system.report(job).renewed) == 12
    other = changed(job, line_3="A line that nobody said before.", line_7="Nor was this one.")
    report = revise(system, other)
    assert report.renewed == ("3", "7")
    assert [line.round for line in report.lines if line.id in {"3", "7"}] == [2, 2]
    assert {line.round for line in report.lines if line.id not in {"3", "7"}} == {1}
    assert [line.text for line in report.lines] == [segment.text for segment in other.segments]
    assert set((system.spoken(job) | system.spoken(other)).values()) == {1}
    assert load_job(system.client.storage, "revised").segments[3].text == other.segments[3].text


def test_another_dictionary_speaks_only_the_lines_that_are_said_otherwise(system: System) -> None:
    job = script("listed", *(f"{who} says so." for who in ("Xi", "Yu", "Nobody", "Xi alone")))
    assert system.run(job).state is COMPLETED
    report = revise(system, job.model_copy(update={"pronunciations": {"Xi": "Schi"}}))
    assert report.renewed == ("0", "3")
    assert [line.spoken for line in report.lines] == [
        *("Schi says so.", "Yu says so.", "Nobody says so.", "Schi alone says so.")
    ]
    assert [line.text for line in report.lines] == [segment.text for segment in job.segments]


def test_the_earlier_output_stays_until_the_changed_one_is_complete(
    system: System, tmp_path: Path
) -> None:
    job = script("kept", *numbered("kept", 3))
    system.run(job)
    before = system.report(job)
    with system.frozen("assembly"):
        system.client.revise(changed(job, line_1="A change."))
        now = system.client.status("kept")
        assert (now.state.ended, now.round) == (False, 2)
        (report,) = [p for p in system.client.fetch("kept", tmp_path / "1") if p.suffix == ".json"]
        assert Report.model_validate_json(report.read_text()) == before
    system.wait("kept")
    (report,) = [p for p in system.client.fetch("kept", tmp_path / "2") if p.suffix == ".json"]
    assert Report.model_validate_json(report.read_text()).round == 2
    broken = changed(job, line_1="Never said. <silence>")
    system.client.revise(broken)
    assert system.wait("kept").state is FAILED
    (report,) = [p for p in system.client.fetch("kept", tmp_path / "3") if p.suffix == ".json"]
    assert Report.model_validate_json(report.read_text()).round == 2


def test_lines_that_are_moved_added_or_taken_out_leave_the_others_as_they_are(
    system: System,
) -> None:
    job = script("moved", *numbered("moved", 6))
    system.run(job)
    later = tuple(
        segment.model_copy(update={"start": segment.start + 60, "end": segment.end + 60})
        for segment in job.segments[1:]
    )
    new = Segment(id="new", start=1, end=5, text="A line that was put in.")
    report = revise(system, job.model_copy(update={"segments": (new, *later)}))
    assert report.renewed == ("new",)
    assert [line.id for line in report.lines] == ["new", "1", "2", "3", "4", "5"]
    assert report.lines[1].actual_start == pytest.approx(65.0)


def test_speakers_keep_their_voices_when_another_one_comes_first(system: System) -> None:
    def say(*speakers: str) -> Manifest:
        texts = {who: f"I am {who} of the voices." for who in speakers}
        segments = tuple(
            Segment(id=who, start=5.0 * n, end=5.0 * n + 4, speaker=who, text=texts[who])
            for n, who in enumerate(speakers)
        )
        return script("voices").model_copy(update={"segments": segments})

    job = say("Ada", "Ben")
    system.run(job)
    before = {id_: line.voice for id_, line in lines(system, job).items()}
    report = revise(system, say("Zoe", "Ada", "Ben"))
    now = {line.id: line.voice for line in report.lines}
    assert report.renewed == ("Zoe",)
    assert {who: now[who] for who in ("Ada", "Ben")} == before
    assert now["Zoe"] not in before.values()


def test_a_change_of_the_cast_speaks_that_speakers_lines_alone(system: System) -> None:
    segments = tuple(
        Segment(id=str(n), start=5.0 * n, end=5.0 * n + 4, speaker=who, text=f"Cast line {n}.")
        for n, who in enumerate(("Ada", "Ben", "Ada", "Ben"))
    )
    low, high = Tone.spec.voices[:2]
    cast = {"Ada": ManifestRole(voice=low), "Ben": ManifestRole(voice=low)}
    job = script("recast", cast=cast).model_copy(update={"segments": segments})
    system.run(job)
    other = job.model_copy(update={"cast": {**cast, "Ben": ManifestRole(voice=high)}})
    report = revise(system, other)
    assert report.renewed == ("1", "3")
    assert {line.voice for line in report.lines if line.speaker == "Ben"} == {f"stock:{high}"}


def test_a_revision_that_changes_nothing_to_be_spoken_only_assembles(system: System) -> None:
    job = script("remixed", *numbered("remixed", 3))
    system.run(job)
    other = job.model_copy(update={"output": job.output.model_copy(update={"formats": ("wav",)})})
    report = revise(system, other)
    assert (report.renewed, report.round) == ((), 2)
    assert "dub.wav" in {output.name for output in report.outputs}


def test_the_same_request_again_is_no_revision(system: System) -> None:
    job = script("same", *numbered("same", 2))
    system.run(job)
    assert not system.client.revise(job).created
    revised = changed(job, line_1="The same, but for this.")
    revise(system, revised)
    assert not system.client.revise(revised).created
    assert not system.client.submit(revised).created
    assert not system.client.submit(job).created
    assert system.client.status("same").round == 2


def test_what_cannot_be_revised_is_refused(system: System) -> None:
    with pytest.raises(NotFound, match="no job 'unheard-of'"):
        system.client.revise(script("unheard-of", "A line."))
    with pytest.raises(BadInput, match="have no id"):
        system.client.revise(script("x", "A line.").model_copy(update={"id": None}))
    job = script("busy", *numbered("busy", 4))
    with system.frozen("assembly"):
        system.client.submit(job)
        with pytest.raises(Conflict, match="still at work"):
            system.client.revise(changed(job, line_0="Too soon."))
        system.client.cancel("busy")


def test_a_revision_that_redis_forgot_is_rebuilt_with_its_changed_request(
    system: System,
) -> None:
    job = script("forgotten", *numbered("forgotten", 4))
    system.run(job)
    other = changed(job, line_2="Slow to be forgotten. <slow:2>")
    system.client.revise(other)
    system.begun(other, 4)
    with redis.from_url(system.settings.redis) as emptied:
        emptied.flushall()
    assert system.wait("forgotten").state is COMPLETED
    assert lines(system, other)["2"].text == other.segments[2].text
    assert system.report(other).renewed == ("2",)


# Retries.


def test_a_retry_may_name_another_engine_for_the_lines_that_failed(system: System) -> None:
    job = script("elsewhere", *numbered("elsewhere", 3), "Not here. <silence>")
    assert system.run(job).state is FAILED
    system.client.retry("elsewhere", engine="tone")
    assert system.wait("elsewhere").state is COMPLETED
    report = system.report(job)
    assert [line.engine for line in report.lines] == ["faulty", "faulty", "faulty", "tone"]
    assert report.renewed == ("3",)


def test_a_retry_may_name_another_voice(system: System) -> None:
    system.switch.touch()
    job = script("revoiced", *numbered("revoiced", 2), "Broken for now. <broken>")
    assert system.run(job).state is FAILED
    system.switch.unlink()
    high = Tone.spec.voices[-1]
    system.client.retry("revoiced", voice=high)
    assert system.wait("revoiced").state is COMPLETED
    assert lines(system, job)["2"].voice == f"stock:{high}"
    assert lines(system, job)["0"].voice != f"stock:{high}"


def test_a_retry_on_what_cannot_speak_the_lines_is_refused(system: System) -> None:
    job = script("stays", "Not here. <silence>")
    system.run(job)
    with pytest.raises(BadInput, match="no engine 'tune'; did you mean 'tone'"):
        system.client.retry("stays", engine="tune")
    with pytest.raises(BadInput, match="no voice 'bass'"):
        system.client.retry("stays", engine="tone", voice="bass")
    assert system.client.status("stays").round == 1


# Fallbacks.


def test_a_line_that_one_engine_cannot_speak_is_spoken_by_the_next(system: System) -> None:
    job = script("fallen", *numbered("fallen", 3), "Nor here. <silence>", fallback=["tone"])
    assert system.run(job).state is COMPLETED
    report = system.report(job)
    assert [line.engine for line in report.lines] == ["faulty", "faulty", "faulty", "tone"]
    assert load_round(system.client.storage, "fallen", 2).reason is Reason.FALLBACK
    assert report.renewed == ("0", "1", "2", "3")
    assert system.client.status("fallen").round == 2


def test_a_speakers_own_fallback_goes_before_the_jobs(system: System) -> None:
    segments = tuple(
        Segment(id=who, start=5.0 * n, end=5.0 * n + 4, speaker=who, text=f"{who}. <silence>")
        for n, who in enumerate(("Ada", "Ben"))
    )
    job = script("own", fallback=["tone"], cast={"Ben": ManifestRole(fallback=())})
    job = job.model_copy(update={"segments": segments})
    assert system.run(job).state is FAILED
    assert (lines(system, job)["Ada"].engine, lines(system, job)["Ada"].error) == ("tone", None)
    assert lines(system, job)["Ben"].error


def test_a_fallback_that_cannot_speak_the_script_is_refused_at_once(system: System) -> None:
    with pytest.raises(BadInput, match="no engine 'tune'"):
        system.client.submit(script("refused", "A line.", fallback=["tune"]))
    assert not system.client.storage.exists(Keys.job("refused"))


# What may be missing, and what is there so far.


def test_a_job_may_miss_as_many_lines_as_it_allows(system: System) -> None:
    texts = [*numbered("allowed", 3), "Never said. <silence>"]
    assert system.run(script("allowed", *texts, allow_missing=0.25)).state is COMPLETED
    job = script("allowed", *texts)
    assert lines(system, job)["3"].error
    assert any("3" in warning for warning in system.report(job).warnings)
    assert system.run(script("refused-share", *texts, allow_missing=0.24)).state is FAILED
    # What is missing can still be spoken.
    assert system.client.retry("allowed", engine="tone").round == 2
    assert system.wait("allowed").state is COMPLETED
    assert not lines(system, job)["3"].error


def test_what_there_is_of_a_job_can_be_fetched_while_it_goes_on(
    system: System, tmp_path: Path
) -> None:
    job = script("partial", *numbered("A long line", 8), "Last <slow:20>")
    system.client.submit(job)
    system.until(lambda: system.client.status("partial").done >= 8, "eight lines spoken")
    with pytest.raises(Conflict, match="--partial"):
        system.client.fetch("partial", tmp_path)
    started = time.monotonic()
    paths = system.client.fetch_partial("partial", tmp_path)
    assert time.monotonic() - started < 10
    assert sorted(p.name for p in paths) == [*(f"{n}.flac" for n in range(8)), "report.json"]
    assert all(decode_clip(p.read_bytes()).seconds > 0 for p in paths if p.suffix == ".flac")
    report: Any = Report.model_validate_json((tmp_path / "report.json").read_text())
    assert report.state is JobState.SYNTHESIZING
    assert [line.id for line in report.lines if line.error] == ["8"]
    (tmp_path / "lines" / "8.flac").write_bytes(b"the user's own")
    system.client.storage.delete(system.outcomes(job)["3"].result.takes[0].key)
    names = {path.name for path in system.client.fetch_partial("partial", tmp_path)}
    assert names == {*(f"{n}.flac" for n in range(8) if n != 3), "report.json"}
    there = {path.name for path in (tmp_path / "lines").iterdir()}
    assert there == {*names, "8.flac"} - {"report.json"}
    system.client.cancel("partial")
