"""What a worker's log tells: every line for what it was written, and one line when a batch ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from services import PLUGINS
from system import System, script

from dubbing.ledger import WorkerState

LINE = re.compile(
    r"(?P<time>\S+ \S+) (?P<level>[A-Z]+) \S+ (?P<logger>[\w.]+): (?P<message>.*?)"
    r"(?: \[(?P<context>\w+=[^]]*)\])?"
)
OURS = ("dubbing.", "tasks.", "workers.")
SECONDS = r"in \d+\.\d\d s"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        # What hangs is found out soon.
        patch.setenv("FAULTY_SECONDS", "1.2")
        with System(tmp_path_factory.mktemp("logs"), slots=1) as system:
            system.ready()
            yield system


def lines(system: System, name: str, job: str = "") -> list[dict[str, str]]:
    """The lines that our own code wrote to a worker's log, those of a job when one is named."""
    found = [LINE.fullmatch(line) for line in system.log(name).splitlines()]
    ours = [match.groupdict("") for match in found if match and match["logger"].startswith(OURS)]
    return [line for line in ours if f"job={job} " in line["context"]] if job else ours


def outcomes(
    system: System, name: str, job: str, count: int, logger: str = "dubbing.jobs.pipeline"
) -> list[dict[str, str]]:
    """The lines that tell how the batches of a job ended, of which there come so many.

    A job may end a moment before the line about its last batch.
    """

    def found() -> list[dict[str, str]]:
        return [line for line in lines(system, name, job) if line["logger"] == logger]

    system.until(lambda: len(found()) >= count, "outcomes told")
    return found()


def test_each_batch_ends_with_one_line_that_tells_what_came_of_it(system: System) -> None:
    texts = [*(f"A line of so many words as this, {n}" for n in range(4)), "Short", "<raise> never"]
    system.run(script("told", *texts))
    (worker,) = [w.name for w in system.client.fleet.workers() if w.engines == ("faulty",)]
    told = {line["context"]: line["message"] for line in outcomes(system, "faulty", "told", 2)}
    context = "job=told round=1 batch={} tenant=default worker={}"
    assert set(told) == {context.format(n, worker) for n in range(2)}
    words = [re.sub(SECONDS, "in S", message) for message in told.values()]
    assert sorted(re.sub(r"\d+%", "P", message) for message in words) == [
        "stored 2 lines, 2 spoken, 1 failed, P padding, in S",
        "stored 4 lines, 4 spoken, 0 failed, P padding, in S",
    ]


def test_every_line_of_a_batch_names_job_round_batch_and_worker(system: System) -> None:
    system.run(script("failing", "<raise> One line", "<raise> and another"))
    said = lines(system, "faulty", "failing")
    assert [line["message"] for line in said if line["logger"] == "dubbing.synthesis.mouth"]
    context = r"job=failing round=1 batch=0 tenant=default worker=faulty\.\S+( segment=[01])?$"
    assert all(re.match(context, line["context"]) for line in said)
    # From the second try on, each line stands alone.
    assert {"segment=0", "segment=1"} <= {line["context"].rpartition(" ")[2] for line in said}


def test_a_line_of_the_lease_names_its_batch_too(system: System) -> None:
    system.client.submit(script("hanging", "<hang> for ever"))
    what = "hanging: 0 hangs"
    system.until(lambda: what in system.log("faulty"), "hangs")
    (line,) = [line for line in lines(system, "faulty", "hanging") if line["message"] == what][:1]
    assert "round=1 batch=0" in line["context"]
    system.client.cancel("hanging")
    system.until(
        lambda: all(w.state is WorkerState.READY for w in system.client.fleet.workers()), "ready"
    )


def test_assembly_ends_with_one_line(system: System) -> None:
    system.run(script("assembled", "One line"))
    (line,) = outcomes(system, "assembly", "assembled", 1, "tasks.base")
    assert lines(system, "assembly", "assembled") == [line]
    assert re.fullmatch(rf"dubbing\.assemble: completed, {SECONDS}", line["message"])
    context = "job=assembled round=1 batch=assembly tenant=default worker=assembly."
    assert line["context"].startswith(context)


def test_what_has_no_job_names_the_worker(system: System) -> None:
    system.client.say("Said at once", language="qaa")
    system.until(lambda: "dubbing.say:" in system.log("faulty"), "told")
    (line,) = [line for line in lines(system, "faulty") if "dubbing.say" in line["message"]]
    assert re.fullmatch(rf"dubbing\.say: Said at once, {SECONDS}", line["message"])
    assert line["context"].startswith("tenant=default worker=faulty.")


def test_lines_outside_of_a_task_name_nothing(system: System) -> None:
    (line,) = [line for line in lines(system, "faulty") if "was loaded" in line["message"]][:1]
    assert line["context"] == ""
    assert re.fullmatch(r"faulty was loaded in \d+\.\d s", line["message"])
