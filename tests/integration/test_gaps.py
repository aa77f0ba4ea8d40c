"""Processes that die between two writes, at every step of a job's way: each job ends as it should.

Of each job one process dies, at one point. All jobs are under way at once; each test looks at one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
import soundfile
from gaps import Doomed, Gap
from services import PLUGINS
from speech import recording
from system import numbered, script

from dubbing.job import JobState
from dubbing.script.manifest import Manifest, ManifestRole

SENDING = [
    Gap("submit-after-its-choice", "before publish {job} synthesis.faulty"),
    Gap("submit-after-the-message", "after publish {job} synthesis.faulty"),
]
SUBMITTING = [
    *SENDING,
    Gap("submit-after-the-request", "after create jobs/{job}/job.json"),
    Gap("submit-after-the-plan", "after create jobs/{job}/rounds/1/plan.jsonl"),
    Gap("submit-after-opening", "after open {job} *"),
]
NOT_SUBMITTED = [
    Gap("submit-before-the-marker", "before create open/{job}"),
    Gap("submit-after-the-marker", "after create open/{job}"),
]
RETRYING = [
    Gap("retry-after-the-plan", "after create jobs/{job}/rounds/2/plan.jsonl"),
    Gap("retry-after-opening", "after open {job} 2 *"),
]
REVISING = [
    Gap("revise-after-the-plan", "after create jobs/{job}/rounds/2/plan.jsonl"),
]
NOT_OPENED = [
    Gap("retry-after-the-marker", "after create open/{job}"),
    Gap("revise-after-the-request", "after create jobs/{job}/revisions/*"),
]
CANCELLING = [
    Gap("cancel-after-the-end", "after create jobs/{job}/rounds/1/end.json"),
    Gap("cancel-after-the-marker", "after delete open/{job}"),
]

SPEECH = [
    Gap("speech-after-the-claim", "after claim {job} * synthesis.*"),
    Gap("speech-after-the-lines-are-counted", "after begin {job} *"),
    Gap("speech-after-a-clip", "after create clips/* for {job}", pool=True),
    Gap("speech-before-the-result", "before create jobs/{job}/*/results/*"),
    Gap("speech-after-the-result", "after create jobs/{job}/*/results/*"),
    Gap("speech-after-the-count", "after complete {job} * synthesis.*"),
]
ASSEMBLING = [
    Gap("assembly-after-the-claim", "after claim {job} * assembly"),
    Gap("assembly-after-its-count", "after deliver_again {job} *"),
    Gap("assembly-after-an-output", "after upload jobs/{job}/output/*"),
    Gap("assembly-after-the-report", "after create jobs/{job}/output/*/report.json", pool=True),
    Gap("assembly-after-the-end", "after create jobs/{job}/*/end.json", pool=True),
    Gap("assembly-after-the-marker", "after delete open/{job}"),
    Gap("assembly-after-the-ledger", "after end {job} *"),
]
EXTRACTION = [
    Gap("voice-after-the-claim", "after claim {job} * extraction.*"),
    Gap("voice-after-its-count", "after deliver_again {job} extraction*"),
    Gap("voice-after-the-form", "after create voices/* for {job}"),
    Gap("voice-after-the-result", "after create jobs/{job}/*/results/*"),
    Gap("voice-after-the-count", "after complete {job} * extraction.*"),
]
NEXT = [
    Gap("assembly-before-its-message", "before publish {job} assembly", pool=True),
    Gap("voice-before-its-lines-message", "before publish {job} synthesis.*"),
]
REPAIR = [
    Gap("repair-after-the-plan", "after create jobs/{job}/rounds/2/plan.jsonl"),
    Gap("repair-after-opening", "after open {job} 2 *", pool=True),
]
REBUILDING = [
    Gap("rebuild-before-opening", "before open {job} *"),
    Gap("rebuild-after-opening", "after open {job} *"),
]

# The first test waits for the most of it.
pytestmark = pytest.mark.timeout(600)


def deaths(gaps: list[Gap]) -> list[Gap]:
    return [death for gap in gaps for death in gap.deaths]


@pytest.fixture(scope="module")
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doomed]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with Doomed(tmp_path_factory.mktemp("gaps")) as system:
            kill_clients(system)
            system.start("faulty")
            system.start("assembly")
            kill_workers(system)
            yield system


def kill_clients(system: Doomed) -> None:
    """Kill commands while no worker is there, so that nothing else does what they began."""
    with system.commands() as dubbing:
        for gap in SENDING:
            # First, as two messages are all that a queue without a worker takes; and one after the
            # other, as the first to choose would choose for both.
            system.die(dubbing, {gap: system.submission(gap)})
        submitting = (*SUBMITTING[2:], *NOT_SUBMITTED)
        system.die(dubbing, {gap: system.submission(gap) for gap in submitting})
        for gap in (*RETRYING, *REVISING, *NOT_OPENED, *CANCELLING):
            system.client.submit(gap.job)
        for gap in (*RETRYING, *REVISING, *NOT_OPENED):
            system.client.cancel(gap.name)
        ended = (*RETRYING, *REVISING, *NOT_OPENED)
        system.die(dubbing, {gap: again(system, gap) for gap in ended})
        system.die(dubbing, {gap: ("cancel", gap.name) for gap in CANCELLING})


def again(system: Doomed, gap: Gap) -> Sequence[str]:
    """Return the command that has a job that ended spoken, as it is or changed."""
    if gap.name.startswith("revise"):
        return *system.submission(gap, gap.revised), "--revise"
    return "retry", gap.name


def kill_workers(system: Doomed) -> None:
    """Kill workers; what does not come about fails the tests that are about it, and no others."""
    with suppress(AssertionError):
        for gap in (*SUBMITTING[1:], *RETRYING, *REVISING, *CANCELLING):
            system.settle(gap.name)
    with suppress(AssertionError):
        for gap in deaths(NEXT):
            # One after another: whoever sends the message has nothing else in hand.
            submit(system, gap)
            system.wait_for(lambda gap=gap: system.met(gap), gap.name)
    with suppress(AssertionError), system.frozen("assembly"):
        for gap in deaths(REPAIR):
            system.client.submit(gap.job)
        for gap in deaths(REPAIR):
            damage(system, gap)
    for gap in deaths([*SPEECH, *EXTRACTION, *ASSEMBLING]):
        submit(system, gap)


def damage(system: Doomed, gap: Gap) -> None:
    """Damage a clip of a job when all are spoken."""
    status = system.client.status
    system.wait_for(lambda: status(gap.name).state is JobState.ASSEMBLING, gap.name)
    system.client.storage.replace(system.outcomes(gap.job)["0"].result.takes[0].key, b"no clip")
    system.lay(gap)


def submit(system: Doomed, gap: Gap) -> None:
    """Lay a gap and hand its job in."""
    system.lay(gap)
    job = gap.job
    if gap.name.startswith("voice"):
        sound = recording()
        path = system.settings.home / f"{gap.name}.wav"
        loudness = 0.5 + int.from_bytes(gap.name.encode()) % 97 / 200
        soundfile.write(path, sound.samples * loudness, sound.rate)
        job = job.model_copy(update={"cast": {"speaker": ManifestRole(reference=str(path))}})
    system.client.submit(job)


def ended_whole(system: Doomed, gap: Gap) -> None:
    """Assert that a job is completed, and no line spoken twice that was stored."""
    completed(system, gap, gap.job)
    assert len(system.spoken(gap.job)) == len(gap.job.segments)
    assert system.spoken_in_vain(gap.job) == []


def completed(system: Doomed, gap: Gap, job: Manifest) -> None:
    """Assert that a job is completed, every line is in its report, and nothing is left to do."""
    system.settle(gap.name)
    assert system.met(gap)
    assert system.whole(job)
    assert system.traces(gap.name) == remembered(gap)


def remembered(gap: Gap) -> set[str]:
    """What the ledger keeps of a job that ended, for those who ask or watch."""
    return {f"dubbing:job:{gap.name}", f"dubbing:job:{gap.name}:events"}


def names(gaps: list[Gap]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("gap", gaps, ids=[gap.name for gap in gaps])


@names(deaths([*SPEECH, *EXTRACTION, *ASSEMBLING, *NEXT, *REPAIR]))
def test_a_job_outlives_its_worker(doomed: Doomed, gap: Gap) -> None:
    ended_whole(doomed, gap)


@names([*SUBMITTING, *RETRYING])
def test_what_a_client_began_is_done_without_it(doomed: Doomed, gap: Gap) -> None:
    ended_whole(doomed, gap)


@names(REVISING)
def test_a_change_that_a_client_began_is_made_without_it(doomed: Doomed, gap: Gap) -> None:
    completed(doomed, gap, gap.revised)
    assert [line.text for line in doomed.report(gap.revised).lines] == [
        segment.text for segment in gap.revised.segments
    ]
    assert set(doomed.spoken(gap.revised).values()) == {1}
    assert not doomed.spoken(gap.job)


@names(NOT_SUBMITTED)
def test_what_was_not_accepted_can_be_handed_in_again(doomed: Doomed, gap: Gap) -> None:
    assert gap.name not in [status.id for status in doomed.client.jobs()]
    doomed.client.submit(gap.job)
    ended_whole(doomed, gap)


@names(NOT_OPENED)
def test_a_round_without_a_plan_is_none(doomed: Doomed, gap: Gap) -> None:
    status = doomed.settle(gap.name)
    assert doomed.met(gap)
    assert (status.state, status.round) == (JobState.CANCELLED, 1)
    assert not doomed.spoken(gap.job)
    assert not doomed.spoken(gap.revised)
    assert doomed.traces(gap.name) == remembered(gap)


@names(CANCELLING)
def test_a_job_whose_end_is_stored_is_cancelled(doomed: Doomed, gap: Gap) -> None:
    status = doomed.settle(gap.name)
    assert (status.state, status.output) == (JobState.CANCELLED, None)
    assert doomed.met(gap)
    assert doomed.traces(gap.name) == remembered(gap)


@names(REBUILDING)
def test_a_rebuild_that_breaks_off_is_begun_again(doomed: Doomed, gap: Gap) -> None:
    doomed.wait_for(lambda: doomed.idle, "through with all jobs")
    job = script(gap.name, *numbered(gap.name, 24, "<slow:0.1>"))
    doomed.client.submit(job)
    doomed.begun(job, 3)
    doomed.stop("faulty")
    doomed.forget()
    doomed.lay(gap)
    doomed.start("faulty")
    doomed.wait_for(lambda: doomed.met(gap), gap.name)
    if gap.point.startswith("before"):
        # Whoever takes its place need not wait until it is its turn.
        doomed.forget()
    completed(doomed, gap, job)
    assert set(doomed.spoken(job).values()) == {1}


def test_a_worker_that_rebuilds_what_it_would_count_may_die(doomed: Doomed) -> None:
    doomed.wait_for(lambda: doomed.idle, "through with all jobs")
    gap = Gap("count-after-opening", "after open {job} *")
    job = script(gap.name, *numbered(gap.name, 8, "<slow:0.3>"))
    doomed.client.submit(job)
    doomed.begun(job, 1)
    doomed.lay(gap)
    doomed.forget()
    completed(doomed, gap, job)
    assert doomed.spoken(job).total() <= 12
