"""Lines with nothing to say, from the script to the report, by real worker processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from console import Console, Inside
from services import PLUGINS
from system import System, numbered, script

from dubbing.assembly.report import Report
from dubbing.embedded.stack import environment
from dubbing.errors import BadInput, Conflict
from dubbing.job import JobState, Segment
from dubbing.planning.plan import read_plan
from dubbing.script.entries import expand
from dubbing.script.loader import load
from dubbing.script.manifest import Manifest
from dubbing.storage.keys import Keys

CASES = Path(__file__).parents[1] / "cases"
COMPLETED, FAILED = JobState.COMPLETED, JobState.FAILED


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("silent")) as system:
            yield system


def changed(job: Manifest, **texts: str) -> Manifest:
    """The job with other texts, by the lines' numbers as ``line_3``."""
    segments = tuple(
        segment.model_copy(update={"text": texts.get(f"line_{segment.id}", segment.text)})
        for segment in job.segments
    )
    return job.model_copy(update={"segments": segments})


def silent(report: Report) -> list[str]:
    return [line.id for line in report.lines if line.silent]


def planned(system: System, job: Manifest, round_: int = 1) -> list[str]:
    """Return the texts that a round has spoken."""
    batches = read_plan(system.client.storage.get(Keys.plan(job.id, round_)))
    return sorted(line.spoken for batch in batches for line in batch.lines)


def test_a_silent_line_is_counted_as_done_and_asks_no_engine(system: System) -> None:
    job = script("quiet", "Quiet, line 0.", "♪", "(sighs)", "Quiet, line 3. [thunder]", "")
    submission = system.client.submit(job)
    cautioned = [(caution.code, caution.segment) for caution in submission.cautions]
    assert cautioned == [("silent", "1"), ("sound", "2"), ("sound", "3"), ("silent", "4")]
    status = system.wait("quiet")
    assert (status.state, status.lines, status.done, status.failed) == (COMPLETED, 5, 5, 0)
    assert planned(system, job) == ["Quiet, line 0.", "Quiet, line 3."]
    report = system.report(job)
    assert silent(report) == ["1", "2", "4"]
    assert [line.id for line in report.lines if line.clip] == ["0", "3"]
    assert [line.text for line in report.lines] == [segment.text for segment in job.segments]
    assert report.lines[3].spoken == "Quiet, line 3."


def test_a_job_of_silent_lines_goes_straight_to_assembly(system: System, tmp_path: Path) -> None:
    job = script("hush", "♪", "[door slams]", "...", engine="nobody")
    preview = system.client.preview(job)
    assert (preview.lines, preview.batches, preview.engines) == (3, 0, ())
    with system.frozen("assembly"):
        system.client.submit(job)
        status = system.client.status("hush")
        assert (status.state, status.lines, status.done) == (JobState.ASSEMBLING, 3, 3)
        paths = system.client.fetch_partial("hush", tmp_path)
        assert [path.name for path in paths] == ["report.json"]
        assert silent(Report.model_validate_json(paths[0].read_text())) == ["0", "1", "2"]
    status = system.wait("hush")
    assert (status.state, status.lines, status.done, status.failed) == (COMPLETED, 3, 3, 0)
    with pytest.raises(Conflict, match="nothing to retry"):
        system.client.retry("hush")
    system.unmarked("hush")


def test_a_job_of_silent_lines_is_rebuilt_when_redis_forgot_it(system: System) -> None:
    job = script("forgotten", "♪", "♫")
    with system.frozen("assembly"):
        system.client.submit(job)
        system.restart_redis()
    assert system.wait("forgotten").state is COMPLETED


def test_a_revision_makes_a_line_silent_and_lets_it_speak_again(system: System) -> None:
    job = script("turns", *numbered("turns", 3))
    system.run(job)
    # Line 0 is asked anew when the room after it changes.
    for asked, quiet, renewed in (
        (changed(job, line_1="♪"), ["1"], ("0",)),
        (job, [], ("0", "1")),
        (changed(job, line_0="…", line_1="♪", line_2="(sighs)"), ["0", "1", "2"], ()),
        (changed(job, line_0="♪", line_1="Others."), ["0"], ("1", "2")),
    ):
        assert system.client.revise(asked).created
        status = system.wait("turns")
        assert (status.state, status.lines, status.done, status.failed) == (COMPLETED, 3, 3, 0)
        report = system.report(asked)
        assert silent(report) == quiet
        assert [line.id for line in report.lines if not line.clip] == quiet
        assert report.renewed == renewed
        assert len(planned(system, asked, status.round)) == len(renewed)
    # What was said before is there, and is not said again.
    assert system.spoken(job) == {segment.text: 1 for segment in job.segments}


def test_a_revision_may_have_sounds_and_lyrics_spoken(system: System) -> None:
    job = script("sung", "♪ Sung, row the boat ♪", "(sung: sighs)", "Sung, line 2.")
    system.run(job)
    sounds = job.model_copy(update={"speak_sounds": True})
    assert system.client.revise(sounds).created
    assert system.wait("sung").state is COMPLETED
    assert (silent(system.report(job)), planned(system, job, 2)) == (["0"], ["sung: sighs"])
    both = sounds.model_copy(update={"speak_lyrics": True})
    assert system.client.revise(both).created
    assert system.wait("sung").state is COMPLETED
    assert (silent(system.report(job)), planned(system, job, 3)) == ([], ["Sung, row the boat"])


def test_a_retry_speaks_what_failed_and_leaves_silent_lines_alone(system: System) -> None:
    system.switch.touch()
    job = script("again", "♪", "Again, line 1. <broken>", "(sighs)")
    status = system.run(job)
    assert (status.state, status.lines, status.done, status.failed) == (FAILED, 3, 3, 1)
    assert silent(system.report(job)) == ["0", "2"]
    system.switch.unlink()
    system.client.retry("again")
    assert system.wait("again").state is COMPLETED
    assert planned(system, job, 2) == ["Again, line 1. <broken>"]
    assert silent(system.report(job)) == ["0", "2"]


def test_a_line_that_failed_and_is_silent_from_now_on_is_missed_by_nobody(system: System) -> None:
    system.switch.touch()
    job = script("given-up", "Given up, line 0.", "Given up, line 1. <broken>", fallback=["tone"])
    system.client.submit(job.model_copy(update={"fallback": ()}))
    assert system.wait("given-up").state is FAILED
    # Nobody is there who would stand in for it, were it asked for.
    assert system.client.revise(changed(job, line_1="[silence]")).created
    status = system.wait("given-up")
    assert (status.state, status.done, status.failed) == (COMPLETED, 2, 0)
    assert silent(system.report(job)) == ["1"]


def test_a_speaker_who_stays_silent_takes_no_voice_from_others(system: System) -> None:
    def cast(*speakers: tuple[str, str]) -> Manifest:
        segments = tuple(
            Segment(id=who, start=5.0 * n, end=5.0 * n + 4, speaker=who, text=text)
            for n, (who, text) in enumerate(speakers)
        )
        return script(f"cast-{len(speakers)}").model_copy(update={"segments": segments})

    alone, both = ("Ada", "Cast, Ada."), ("Singer", "♪ Row ♪")
    assert system.run(cast(alone)).state is COMPLETED
    assert system.run(cast(both, alone)).state is COMPLETED
    voices = {
        line.speaker: line.voice
        for job in (cast(alone), cast(both, alone))
        for line in system.report(job).lines
    }
    assert voices == {"Singer": "", "Ada": system.report(cast(alone)).lines[0].voice}


def test_a_folder_with_such_episodes_is_taken_whole(system: System, tmp_path: Path) -> None:
    for name in ("only-a-note.srt", "only-dots.srt", "sounds.srt"):
        (tmp_path / name).write_bytes((CASES / name).read_bytes())
    (tmp_path / "all.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n♪\n\n")
    jobs = [load(entry.path, {"language": "en"}) for entry in expand([tmp_path])]
    assert len(jobs) == 4
    ids = [submission.id for submission in system.client.submit_all(jobs)]
    assert {system.wait(id_).state for id_ in ids} == {COMPLETED}
    counts = [system.client.status(id_).lines for id_ in ids]
    reports = [system.report(script(id_)) for id_ in ids]
    assert counts == [len(report.lines) for report in reports] == [1, 3, 3, 12]
    # What stands in the whole of a cue is silent; "[gunshot] Get down!" and its like are not.
    assert [silent(report) for report in reports] == [
        ["1"], ["2"], ["2"], ["2", "3", "5", "6", "9", "10", "11", "12"]
    ]  # fmt: skip
    said = [line.spoken for line in reports[3].lines if not line.silent]
    assert said == ["Hello there.", "Get down!", "I know.", "Sorry."]


@pytest.mark.parametrize("text", ["♪", "...", "", "🙂"])
def test_a_single_line_with_nothing_to_say_is_refused(system: System, text: str) -> None:
    with pytest.raises(BadInput, match="holds nothing to speak: write words"):
        system.client.say(text, language="en")


def test_a_single_line_is_said_with_its_sounds(system: System) -> None:
    assert system.client.say("(sighs)", language="en").seconds > 0


def test_run_dubs_a_script_of_which_nothing_is_spoken_without_an_engine(tmp_path: Path) -> None:
    console = Console(tmp_path / "home")
    (console.home / "all.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n♪ Row ♪\n\n")
    done = console("run", "all.srt", "--language", "en", "--engine", "tone", "--json")
    assert "'Row' looks like lyrics and is left unsaid: the line is silent" in done.stderr
    status = json.loads(done.stdout)
    assert (status["state"], status["lines"], status["done"]) == ("completed", 1, 1)
    assert [log.name for log in (console.home / "logs").glob("*.log") if "tone" in log.name] == []
    assert console.processes() == []


def test_a_submitter_is_told_what_is_left_unsaid_and_has_it_spoken_on_request(
    system: System, tmp_path: Path
) -> None:
    shell = Inside(tmp_path, **environment(system.settings))
    (tmp_path / "sounds.srt").write_bytes((CASES / "sounds.srt").read_bytes())
    submit = ("submit", "sounds.srt", "--language", "en", "--wait", "--id")
    said = shell(*submit, "sounds").stderr
    first = "sounds.srt: cue 2 at 0:00:04.500: '[door slams]' looks like a sound and is left unsaid"
    assert f"lines seem to hold a sound (first: {first}" in said
    assert "'Row the boat ashore' looks like lyrics and is left unsaid: the line is silent" in said
    assert [line.spoken for line in system.report(script("sounds")).lines if line.spoken] == [
        *("Hello there.", "Get down!", "I know.", "Sorry.")
    ]
    shell("fetch", "sounds", "--out", "out")
    (written,) = (tmp_path / "out").glob("*.srt")
    assert "[gunshot] Get down!" in written.read_text()
    assert "♪ Row the boat ashore ♪" in written.read_text()
    said = shell(*submit, "both", "--speak-sounds", "--speak-lyrics").stderr
    assert "left unsaid" not in said
    assert [line.spoken for line in system.report(script("both")).lines] == [
        *("Hello there.", "door slams", "sighs", "gunshot Get down!", "Row the boat ashore"),
        *("Row the boat ashore", "sighs I know.", "coughs Sorry.", "- phone rings - sighs"),
        *("wind howls", "Music", "掌声"),
    ]
