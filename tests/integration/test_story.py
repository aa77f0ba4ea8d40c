"""What is told of a job without a log server: what happened to it, and why it stands so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from services import PLUGINS
from shell import Shell
from system import System, script


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        # Six seconds without news are a stall.
        patch.setenv("DUBBING_STALL_MINUTES", "0.1")
        with System(tmp_path_factory.mktemp("story"), slots=1) as system:
            yield system


@pytest.fixture
def there(system: System, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell at the system."""
    monkeypatch.setenv("DUBBING_REDIS_URL", system.redis.url)
    monkeypatch.setenv("DUBBING_HOME", str(system.settings.home))
    return shell


def test_what_happened_to_a_job_is_told_in_order(system: System, there: Shell) -> None:
    system.run(script("failing", "Right at once", "<raise> Never right"))
    told = [line.split("  ", 1)[1].strip() for line in there("logs", "failing")[0].splitlines()]
    assert told[:2] == [
        "submitted: 2 lines in qaa",
        "round 1 (submit): 2 lines in 1 batch",
    ]
    assert told[2].startswith("batch 0: 2 lines, 2 spoken, 1 failed")
    assert told[3].startswith("line 1: ")
    assert told[-1].startswith("round 1 ended: failed, 1 of 2 lines without speech")
    errors = there.json("logs", "failing", "--errors")
    assert [event.get("line") for event in errors] == [None, "1", None]


def test_a_job_that_failed_says_which_lines_failed_and_what_to_do(
    system: System, there: Shell
) -> None:
    system.run(script("failed", "<raise> One", "<raise> Two", "<long> Three", "Right"))
    why = there("why", "failed")[0]
    assert "- lines 0, 1: " in why
    assert "change the text of such a line" in why
    assert "`dubbing retry failed` speaks the lines that are missing" in why


def test_a_job_without_a_worker_says_so_and_workers_warn_of_it(
    system: System, there: Shell
) -> None:
    system.client.submit(script("waiting", "Nobody speaks me", engine="tone"))
    why = there("why", "waiting")[0]
    assert "- no worker is online for tone: start `dubbing worker tone`" in why
    assert "- its last progress was " in why
    warned = "waiting makes no progress: it is queued: no worker is online for tone"
    logs = [system.log(name) for name in ("faulty", "assembly")]
    told = re.compile(f"{warned}.*job=waiting .*tenant=default")
    system.until(lambda: any(map(told.search, map(system.log, ("faulty", "assembly")))), warned)
    assert not any("failed makes no progress" in log for log in logs)


def test_a_job_that_is_not_there_is_named(system: System, there: Shell) -> None:
    assert "there is no job 'nothing'" in there("logs", "nothing", code=2)[1]
    assert "there is no job 'nothing'" in there("why", "nothing", code=2)[1]


def test_a_command_is_run_when_a_job_has_ended(system: System, there: Shell) -> None:
    system.client.submit(script("hooked", "A line"))
    hook = "sh -c 'cat > told; echo $DUBBING_JOB is $DUBBING_STATE >> told; exit 3'"
    _, complaints = there("watch", "hooked", "--on-done", hook, code=1)
    assert "ended with exit code 3" in complaints
    status, _, words = (there.home / "told").read_text().rpartition("}")
    assert json.loads(f"{status}}}") == there.json("status", "hooked")
    assert words.strip() == "hooked is completed"


def test_a_command_that_is_not_there_is_refused_at_once(there: Shell) -> None:
    _, complaints = there("watch", "hooked", "--on-done", "no-such-program --now", code=2)
    assert "--on-done 'no-such-program --now': there is no such program" in complaints


def test_who_only_submits_cannot_be_told_of_the_end(there: Shell) -> None:
    _, complaints = there("submit", "any.srt", "--on-done", "true", code=2)
    assert "--on-done: `submit` ends before the job: add --wait" in complaints
