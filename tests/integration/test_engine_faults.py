"""Engines that hang, run out of memory or return what is no speech, in worker processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from services import PLUGINS
from system import System, numbered, script

from dubbing.assembly.report_line import ReportLine
from dubbing.job import JobState
from dubbing.script.manifest import Manifest
from dubbing.storage.keys import Keys

SECONDS_PER_CALL = 1.5


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Workers whose engine is taken to hang after a few seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        patch.setenv("FAULTY_SECONDS", str(SECONDS_PER_CALL))
        with System(tmp_path_factory.mktemp("engine")) as system:
            # Until then, jobs are planned by the spec of the engine that is installed here.
            published = Keys.engine("faulty")
            system.until(lambda: system.client.storage.exists(published), "published")
            yield system


def failed(system: System, job: Manifest) -> dict[str, ReportLine]:
    return {line.text: line for line in system.report(job).lines if line.error}


def test_a_line_that_hangs_is_tried_once_more_and_the_rest_is_spoken(system: System) -> None:
    hangs = "And this one hangs. <hang>"
    job = script("hanging", *numbered("Hanging", 7), hangs)
    status = system.run(job)
    assert (status.state, status.done, status.failed) == (JobState.FAILED, 8, 1)
    (line,) = failed(system, job).values()
    assert (line.text, line.error and line.error.code) == (hangs, "given_up")
    spoken = system.spoken(job)
    # Once with others, once alone.
    assert spoken.pop(hangs) == 2
    assert len(spoken) == 7
    assert max(spoken.values()) <= 2


def test_what_an_engine_cannot_do_is_reported_and_the_rest_is_spoken(system: System) -> None:
    faults = {
        "<nan>": "NaN",
        "<silence>": "silence",
        "<nothing>": "no sound",
        "<long>": "s for a text",
        "<raise>": "the text told me to",
        "<oom:0>": "MemoryError: CUDA out of memory",
    }
    job = script("faulty", *numbered("Faulty", 8), *(f"Here {mark}." for mark in faults))
    status = system.run(job)
    assert (status.state, status.done, status.failed) == (JobState.FAILED, 14, 6)
    reported = failed(system, job)
    assert set(reported) == {f"Here {mark}." for mark in faults}
    for mark, words in faults.items():
        error = reported[f"Here {mark}."].error
        assert error
        assert words in error.message
    attempts = {
        text: system.outcomes(job)[line.id].result.attempts for text, line in reported.items()
    }
    assert set(attempts.values()) == {3}


def test_a_batch_too_big_for_the_memory_is_halved_down_to_its_lines(system: System) -> None:
    before = len(system.log("faulty"))
    job = script("too-big", *numbered("Too big", 4, "<oom>"))
    system.run(job)
    assert system.whole(job)
    assert set(system.spoken(job).values()) == {1}
    log = system.log("faulty")[before:]
    assert log.count("failed on 4 lines: MemoryError") == 1
    assert log.count("failed on 2 lines: MemoryError") == 2
