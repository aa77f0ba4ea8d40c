"""Folders, lists and collections on the command line, with a Redis, without one, and no worker."""

from __future__ import annotations

import re
import socket
import subprocess
import time
import wave
from pathlib import Path

import pytest
from console import SCRIPT
from ledgers import job, record, refs, take_and_claim
from shell import Shell

from dubbing.client import Client
from dubbing.errors import QueueUnavailable
from dubbing.ledger import Ledger
from dubbing.script.loader import load
from dubbing.settings import Settings
from dubbing.storage import Keys
from dubbing.submission.estimate import Estimate

CUE = "{n}\n00:00:{start:02},000 --> 00:00:{end:02},000\n{text}\n\n"
DIGITS = "1" * 41
"""A number that no engine reads out."""


def srt(*texts: str) -> str:
    return "".join(
        CUE.format(n=n, start=2 * n, end=2 * n + 1, text=text) for n, text in enumerate(texts, 1)
    )


def season(folder: Path, **scripts: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in scripts.items():
        (folder / f"{name}.srt").write_text(content, "utf-8")
    return folder


@pytest.fixture
def shell(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell whose jobs are for the tone engine; it has a Redis, and no worker."""
    monkeypatch.setenv("DUBBING_ENGINE", "tone")
    return shell


@pytest.fixture
def offline(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The same, whose Redis does not run."""
    monkeypatch.setenv("DUBBING_REDIS_URL", "redis://127.0.0.1:1")
    return shell


def test_a_fault_of_a_folder_names_its_file(shell: Shell) -> None:
    season(shell.home / "s", e1=srt("Good."), e2=srt("Good.", DIGITS), e3=srt("Fine."))
    complaint = shell("submit", "s", "--language", "en", code=2)[1]
    assert complaint.startswith("error: s/e2.srt: cue 2 at 0:00:04.000: it holds a number")
    assert not shell.storage.exists()


def test_all_faults_of_a_folder_are_in_one_error(shell: Shell) -> None:
    back = "1\n00:00:03,000 --> 00:00:01,000\nBack.\n"
    good = {f"e{n}": srt("Good.") for n in (1, 4, 5)}
    season(shell.home / "s", **good, e2=srt(DIGITS, DIGITS), e3=back, e6=srt(DIGITS))
    complaint = shell("submit", "s", "--language", "en", "--dry-run", code=2)[1]
    assert complaint.startswith("error: 3 things must be changed:\n")
    assert "s/e3.srt, line 2: the cue ends before" in complaint
    assert "\n  s/e2.srt: 2 things must be changed:\n    cue 1 at" in complaint
    assert "\n  s/e6.srt: cue 1 at" in complaint
    assert not any(f"e{n}.srt" in complaint for n in (1, 4, 5))
    found = shell.json("submit", "s", "--language", "en", code=2)
    assert found["error"]["code"] == "bad_input"
    assert not shell.storage.exists()


def test_a_dry_run_of_hundreds_is_one_summary_and_writes_nothing(offline: Shell) -> None:
    dense = "This is far too much to be said while a second goes by, whoever says it."
    scripts = {f"e{n:03}": srt(dense, "Good day.") for n in range(1, 301)}
    season(offline.home / "s", **scripts)
    before = set(offline.home.rglob("*"))
    out, err = offline("submit", "s", "--language", "en", "--dry-run")
    (summary,) = out.splitlines()
    assert summary.startswith(
        "300 jobs: 600 lines in 300 batches on tone, 0 clips already stored, "
    )
    (warning,) = err.splitlines()
    assert warning.startswith("warning: 300 lines are too dense (first: s/e001.srt: cue 1 at ")
    assert set(offline.home.rglob("*")) == before

    told = offline.json("submit", "s", "--language", "en", "--dry-run")
    assert [job["file"] for job in told] == [f"s/e{n:03}.srt" for n in range(1, 301)]
    assert [len(job["cautions"]) for job in told] == [1] * 300
    assert told[0]["cautions"][0]["file"] == "s/e001.srt"


def test_lint_lists_every_hint_in_the_words_of_the_dry_run(offline: Shell) -> None:
    dense = [f"This is far too much to be said {n} times while a second goes by." for n in "abc"]
    season(offline.home / "s", e1=srt(*dense, "Good day."), e2=srt("[bang] Good day."))
    out, err = offline("lint", "s", "--language", "en")
    assert err == ""
    *hints, sound = out.splitlines()
    assert [hint.partition(": it may run ")[0] for hint in hints] == [
        f"s/e1.srt: cue {n} at 0:00:{2 * n:02}.000" for n in range(1, 4)
    ]
    assert all("characters are too many" in hint for hint in hints)
    assert sound.startswith("s/e2.srt: cue 1 at ")
    assert offline.json("lint", "s/e2.srt", "--language", "en")[0]["code"] == "sound"
    (told,) = offline.json("submit", "s/e1.srt", "--language", "en", "--dry-run")
    assert [f"s/e1.srt: {caution['message']}" for caution in told["cautions"]] == hints


def test_a_dry_run_of_one_names_its_file(offline: Shell) -> None:
    season(offline.home, one=srt("Good day."))
    said = offline("submit", "one.srt", "--language", "en", "--dry-run")[0]
    assert said.startswith("one.srt: 1 line in 1 batch on tone, 0 clips already stored, about ")


def test_a_dry_run_estimates_time_and_cost_by_the_latest_batches(
    shell: Shell, redis_url: str
) -> None:
    season(shell.home, one=srt("Good day.", "Good night."), two=srt("Good day."))
    ledger = Ledger(redis_url)
    ledger.crew.beat(record(slots=1))
    ledger.open_round(job("past"), 1, refs(1))
    (at,) = take_and_claim(ledger)
    ledger.complete(at, ["1", "2"], 0, 120.0, 2, {"tone:2026-11:CNY": 90_000})
    out, _ = shell("submit", "one.srt", "two.srt", "--language", "en", "--dry-run")
    *_, words = out.splitlines()
    assert words == "estimate by the latest batches: ready in about 4 min; about 0.1350 CNY"
    settings = Settings(
        home=shell.home, redis_url=redis_url, storage_url=str(shell.storage), engine="tone"
    )
    jobs = [load(shell.home / f"{name}.srt", {"language": "en"}) for name in ("one", "two")]
    one, two = (found.estimate for found in Client.connect(settings).preview_all(jobs))
    assert one == Estimate(ready_in=240.0, costs={"CNY": 0.09}, lacks=())
    assert two == Estimate(ready_in=240.0, costs={"CNY": 0.045}, lacks=())


def test_a_dry_run_waits_for_no_redis_that_is_silent(tmp_path: Path) -> None:
    script = season(tmp_path, one=srt("Good day.")) / "one.srt"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        settings = Settings(home=tmp_path / "home", redis_url=url, storage_url=str(tmp_path / "s"))
        began = time.monotonic()
        found = Client.connect(settings).preview(load(script, {"language": "en", "engine": "tone"}))
    assert (found.lines, found.estimate) == (1, None)
    assert time.monotonic() - began < 3


def test_a_client_needs_redis_for_nothing_that_is_not_in_redis(tmp_path: Path) -> None:
    script = season(tmp_path, one=srt("Good day.")) / "one.srt"
    storage = tmp_path / "storage"
    for url in ("redis://127.0.0.1:1", ""):
        settings = Settings(home=tmp_path / "home", redis_url=url, storage_url=str(storage))
        client = Client.connect(settings)
        job = load(script, {"language": "en", "engine": "tone"})
        found = client.preview(job)
        assert (found.lines, found.estimate) == (1, None)
        assert client.voices.all() == []
        for call in (client.jobs, lambda: client.submit(job)):  # noqa: B023 - called at once
            with pytest.raises(QueueUnavailable):
                call()
    assert not storage.exists()


def test_what_is_not_paired_is_told_with_its_name(shell: Shell) -> None:
    folder = season(shell.home / "s", **{"e1.de": srt("Gut."), "e2.de": srt("Fein.")})
    for name in ("e1.wav", "e3.wav"):
        silence(folder / name)
    out, err = shell("submit", "s", "--dry-run")
    said, estimate = out.splitlines()
    assert said.startswith("2 jobs: 2 lines")
    lacks = "no worker is online for assembly or tone"
    assert estimate == f"estimate by the latest batches: time unknown, as {lacks}"
    warnings = err.splitlines()
    assert warnings[0].startswith("warning: s/e2.de.srt: no film in the folder has its name")
    assert warnings[1].startswith("warning: s/e3.wav: no script in the folder has its name")
    codes = [[c["code"] for c in job["cautions"]] for job in shell.json("submit", "s")]
    assert codes == [["no_script"], ["no_film"]]


def test_a_collection_is_followed_cancelled_and_retried(shell: Shell) -> None:
    season(shell.home / "s", e1=srt("One."), e2=srt("Two."))
    submitted = shell("submit", "s", "--language", "en", "--collection", "s01")[0]
    ids, files = zip(*(line.split("  ") for line in submitted.splitlines()), strict=True)
    assert files == ("s/e1.srt", "s/e2.srt")

    found = shell.json("status", "--collection", "s01")
    assert (found["collection"], found["states"]) == ("s01", {"queued": 2})
    assert "there is no collection 's02'" in shell("cancel", "--collection", "s02", code=2)[1]
    assert "not both" in shell("fetch", ids[0], "--collection", "s01", code=2)[1]
    assert "name a job or a --collection" in shell("retry", code=2)[1]

    _, nothing = shell("fetch", "--collection", "s01", "--out", "out", code=1)
    assert nothing.count("nothing to fetch of ") == 2
    shell("fetch", "--batch-name", "s01", "--partial", "--out", "out")
    assert {path.name for path in (shell.home / "out").iterdir()} == {
        f"{name}.report.json" for name in ("e1", "e2")
    }

    assert (
        "no job of collection 's01' has failed" in shell("retry", "--collection", "s01", code=2)[1]
    )
    shell("cancel", ids[0])
    assert shell.json("retry", "--collection", "s01")["states"] == {"queued": 1}
    assert shell.json("status", ids[0])["round"] == 2
    out, err = shell("cancel", "--collection", "s01")
    assert out.splitlines()[-1] == "s01: 2 jobs: 2 cancelled"
    assert err == ""


def test_cancelling_what_has_ended_says_so_and_is_no_error(shell: Shell) -> None:
    season(shell.home, one=srt("One."))
    shell("submit", "one.srt", "--language", "en", "--id", "a", "--collection", "s")
    assert shell("cancel", "a")[1] == ""
    out, err = shell("cancel", "a")
    assert out == "a (one): cancelled, 0 of 1 lines\n"
    assert err == "a: it has ended, there is nothing to cancel\n"
    assert "all its jobs have ended" in shell("cancel", "--collection", "s")[1]
    assert shell.json("cancel", "a")["state"] == "cancelled"


def test_jobs_are_listed_by_state_time_and_number(shell: Shell) -> None:
    season(shell.home, one=srt("One."))
    for name in ("old", "middle", "new"):
        shell("submit", "one.srt", "--language", "en", "--id", name)
    shell("cancel", "middle")
    hour = 3600
    for name, age in (("old", 50 * hour), ("middle", 3 * hour), ("new", 60)):
        (path,) = (shell.storage / "submitted").glob(f"*-{name}")
        path.rename(shell.storage / Keys.submitted(name, time.time() - age))

    def listed(*options: str) -> list[str]:
        return [job["id"] for job in shell.json("jobs", *options)]

    assert listed() == ["new", "middle", "old"]
    assert listed("--since", "2h") == ["new"]
    assert listed("--since", "1d") == ["new", "middle"]
    assert listed("--since", "2020-01-01", "--limit", "2") == ["new", "middle"]
    assert listed("--state", "queued") == ["new", "old"]
    assert listed("--state", "queued", "--limit", "1") == ["new"]
    assert listed("--state", "queued", "--state", "cancelled", "--since", "1d") == ["new", "middle"]
    assert "--since" in shell("jobs", "--since", "soon", code=2)[1]


def test_jobs_are_listed_with_the_names_of_their_scripts(shell: Shell) -> None:
    season(shell.home, one=srt("One."), two=srt("Two."))
    shell("submit", "one.srt", "--language", "en")
    shell("submit", "two.srt", "--language", "en", "--tenant", "acme", "--collection", "s01")
    for listed in shell.json("jobs"):
        assert listed["id"].startswith("job-")
        assert listed["name"] in {"one", "two"}
        assert time.time() - 60 < listed["created"] <= time.time()
        assert (listed["tenant"], listed["collection"]) in {("default", None), ("acme", "s01")}
    for line in shell("jobs")[0].splitlines():
        assert re.search(r"\t(one|two)\tqueued\t.*\t20\d\d-\d\d-\d\d \d\d:\d\d\t", line)
    shown, *_ = shell("status", "--collection", "s01")[0].splitlines()
    assert " (two): queued" in shown


def test_one_id_or_name_cannot_be_that_of_several(shell: Shell) -> None:
    season(shell.home / "s", e1=srt("One."), e2=srt("Two."))
    for option in ("--id", "--name"):
        assert option in shell("submit", "s", "--language", "en", option, "x", code=2)[1]


def test_bash_completes_commands_and_options(shell: Shell) -> None:
    completed = """
        PATH=$1:$PATH
        eval "$(_DUBBING_COMPLETE=bash_source dubbing)"
        complete -p dubbing
        for line in 'dubbing sub' 'dubbing voices ext' 'dubbing submit --coll'
        do
            COMPREPLY=() COMP_WORDS=($line)
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _dubbing_completion dubbing
            echo "${COMPREPLY[@]}"
        done
    """
    done = subprocess.run(
        ["bash", "-c", completed, "bash", str(SCRIPT.parent)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=shell.home,
    )
    registered, *found = done.stdout.splitlines()
    assert "_dubbing_completion dubbing" in registered
    assert found == ["submit", "extract", "--collection"]
    assert done.stderr == ""


def silence(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 8000 * 10))
