"""What the command line refuses, how it says so, and that nothing was done by then."""

from __future__ import annotations

import json
import os
import pty
import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import redis
from console import SCENE, Console, wait_until
from ledgers import record
from shell import Shell

from dubbing.cli.commands import MODULES
from dubbing.ledger import Ledger, WorkerState

GOOD = "1\n00:00:01,000 --> 00:00:03,000\nGood day.\n"
HLS = "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n"
LINE = {"id": "1", "start": 1, "end": 3, "text": "Good day."}


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """A shell with a Redis, no worker, and a good script."""
    (shell.home / "good.srt").write_text(GOOD)
    return shell


@pytest.fixture
def console(shell: Shell, redis_url: str) -> Iterator[Console]:
    """A console in the home of the shell, for commands that start processes."""
    console = Console(shell.home, DUBBING_REDIS_URL=redis_url)
    yield console
    assert console.processes() == []


def untouched(shell: Shell, redis_url: str) -> bool:
    """Whether nothing is stored and nothing is queued."""
    with redis.from_url(redis_url) as client:
        return client.dbsize() == 0 and not any(path.is_file() for path in shell.storage.rglob("*"))


def manifest(**fields: Any) -> str:
    return json.dumps({"language": "en", "segments": [LINE], **fields})


@pytest.mark.parametrize(
    ("file", "content", "options", "words"),
    [
        ("none.srt", None, (), ["none.srt", "no such file"]),
        (
            "back.srt",
            "1\n00:00:03,000 --> 00:00:01,000\nBack.\n",
            (),
            ["back.srt, line 2", "ends before it starts"],
        ),
        ("a.srt", f"1.{GOOD[1:]}", (), ["a.srt, line 1", "'1.' is not a cue number: write 1"]),
        ("a.srt", GOOD.replace("-->", "->"), (), ["a.srt, line 2", "'00:00:01,000 -> 00"]),
        ("a.srt", f"WEBVTT\n\n{GOOD}", (), ["a.srt, line 1", "looks like vtt"]),
        ("a.srt", GOOD, ("--engine", "nobody"), ["'nobody'", "known are", "espeak"]),
        ("a.srt", GOOD, ("--language", "zz"), ["'zz'", "de or pt-BR"]),
        ("a.srt", GOOD, ("--id", "../../etc/passwd"), ["id is '../../etc/passwd'"]),
        ("a.srt", GOOD, ("--batch-name", "/etc"), ["collection is '/etc'"]),
        ("a.srt", GOOD, ("--tenant", "a/b"), ["tenant is 'a/b'"]),
        ("a.srt", GOOD, ("--media", "film.mp4"), ["media", "film.mp4", "no file"]),
        ("a.srt", GOOD, ("--media", "hls.mp4"), ["hls.mp4", "not a film"]),
        ("a.srt", GOOD, ("--media", "http://127.0.0.1:9/a.mp4"), ["media", "s3:// URL"]),
        ("a.srt", GOOD, ("--format", "mp4"), ["needs a film", "mp4"]),
        ("a.srt", GOOD, ("--format", "avi"), ["--format", "'avi'"]),
        ("a.srt", GOOD, ("--frmat", "mp4"), ["--frmat", "--format"]),
        ("a.json", '{"language": "en",\n "segments": [}', (), ["a.json", "line 2", "not JSON"]),
        ("a.json", manifest(langauge="de"), (), ["a.json", "langauge", "'language'"]),
        ("a.json", manifest(segments=[{**LINE, "id": "../1"}]), (), ["segments[0].id", "../1"]),
        ("a.json", manifest(segments=[{**LINE, "text": "1" * 41}]), (), ["cue 1", "0:00:01"]),
        ("a.json", manifest(segments=[LINE, LINE]), (), ["cue 1", "2 lines"]),
        ("a.json", manifest(cast={"speaker": {"reference": "no.wav"}}), (), ["no.wav"]),
        ("list.csv", "script,id\na.srt,x\n", (), ["list.csv, line 2", "a.srt"]),
    ],
)
def test_what_cannot_be_dubbed_is_refused_by_name(
    shell: Shell,
    redis_url: str,
    file: str,
    content: str | None,
    options: tuple[str, ...],
    words: list[str],
) -> None:
    (shell.home / "hls.mp4").write_text(HLS)
    if content is not None:
        (shell.home / file).write_text(content, encoding="utf-8")
    language = () if file.endswith(".json") else ("--language", "en")
    _, complaint = shell("submit", file, *language, *options, code=2)
    assert [word for word in words if word not in complaint] == []
    assert untouched(shell, redis_url)


def test_two_scripts_cannot_have_one_id(shell: Shell, redis_url: str) -> None:
    (shell.home / "other.srt").write_text(GOOD)
    scripts = ("submit", "good.srt", "other.srt", "--language", "en")
    assert "--id" in shell(*scripts, "--id", "a", code=2)[1]
    for name in ("one.json", "two.json"):
        (shell.home / name).write_text(manifest(id="same", tenant=name.removesuffix(".json")))
    assert "'same'" in shell("submit", "one.json", "two.json", code=2)[1]
    assert untouched(shell, redis_url)


def test_an_id_that_is_taken_is_a_conflict_and_nothing_is_overwritten(shell: Shell) -> None:
    command = ("submit", "good.srt", "--id", "a")
    created = {"id": "a", "created": True, "file": "good.srt", "cautions": []}
    assert shell.json(*command, "--language", "en") == [created]
    stored = (shell.storage / "jobs" / "a" / "job.json").read_bytes()
    refused = shell.json(*command, "--language", "de", code=2)
    assert refused["error"]["code"] == "conflict"
    assert (shell.storage / "jobs" / "a" / "job.json").read_bytes() == stored
    assert shell.json(*command, "--language", "en") == [created | {"created": False}]


@pytest.mark.parametrize("name", ["nobody", "../x", "/etc", "", "a\nb"])
def test_a_job_that_is_not_there_is_not_found(shell: Shell, name: str) -> None:
    for command in ("status", "watch", "cancel", "retry", "fetch"):
        assert shell.json(command, name, code=2)["error"]["code"] == "not_found"
    assert shell.json("status", "--batch-name", name, code=2)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "arguments", [("submit",), ("status",), ("submit", "good.srt", "--nonsense"), ("nonsense",)]
)
def test_errors_are_json_where_json_is_asked(shell: Shell, arguments: tuple[str, ...]) -> None:
    out, err = shell(*arguments, "--json", code=2)
    assert json.loads(out)["error"]["code"] == "bad_input"
    assert err == ""


def test_say_looks_at_its_file_before_it_speaks(shell: Shell, redis_url: str) -> None:
    assert "line.txt" in shell("say", "Good day.", "--out", "line.txt", code=2)[1]
    assert "'nobody'" in shell("say", "Good day.", "--voice", "nobody", code=2)[1]
    assert untouched(shell, redis_url)


def test_work_without_a_worker_is_told(shell: Shell) -> None:
    shell("submit", "good.srt", "--language", "en")
    _, complaint = shell("workers")
    assert "no worker is online" in complaint
    assert "start `dubbing worker espeak`" in complaint


def test_a_health_check_looks_at_the_last_worker_of_this_machine(
    shell: Shell, redis_url: str
) -> None:
    crew, here = Ledger(redis_url).crew, socket.gethostname()
    crew.beat(record(name="w@another-machine"))
    assert "no worker of this machine" in shell("workers", "health", code=2)[1]
    crew.beat(record(name=f"old@{here}").model_copy(update={"since": 1.0}))
    assert shell("workers", "health")[0] == f"old@{here}: ready\n"
    loading = {"since": 2.0, "state": WorkerState.LOADING}
    crew.beat(record(name=f"new@{here}").model_copy(update=loading))
    assert shell("workers", "health", code=1)[0] == f"new@{here}: loading\n"


def test_what_is_not_up_is_named_with_its_remedy(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DUBBING_REDIS_URL")
    for command in (("jobs",), ("workers",), ("flower",), ("say", "Good day.")):
        assert "`dubbing up`" in shell(*command, code=3)[1]
    assert shell.json("jobs", code=3)["error"]["code"] == "queue_unavailable"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SLOTS", "many"), ("REDIS_URL", "localhost:6379"), ("REDIS_URL", "redis://h:port"),
     ("LOG_LEVEL", "LOUD")],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"DUBBING_{variable}", value)
    for command in (("jobs",), ("worker", "tone")):
        assert f"DUBBING_{variable}" in shell(*command, code=2)[1]


@pytest.mark.parametrize("command", [("run", "good.srt", "--engine"), ("up",), ("worker",)])
def test_an_unknown_engine_is_refused_before_anything_is_started(
    console: Console, command: tuple[str, ...]
) -> None:
    language = ("--language", "en") if "run" in command else ()
    done = console(*command, "nobody", *language, code=2)
    assert "no engine 'nobody'; installed are: espeak" in done.stderr
    assert not (console.home / "logs").exists()


@pytest.mark.parametrize("command", ["up", "worker"])
def test_an_engine_without_its_library_says_which_extra_brings_it(
    shell: Shell, tmp_path: Path, redis_url: str, command: str
) -> None:
    plugin(tmp_path / "plugin")
    path = str(tmp_path / "plugin")
    console = Console(shell.home, DUBBING_REDIS_URL=redis_url, PYTHONPATH=path)
    assert "pip install 'dubbing[robot]'" in console(command, "robot", code=2).stderr


def test_an_engine_without_its_library_is_no_fault_while_another_speaks(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path / "plugin")
    monkeypatch.syspath_prepend(str(tmp_path / "plugin"))
    found = {engine["name"]: engine["missing"] for engine in shell.json("engines")}
    assert found["robot"] == ["robot_voice_that_nobody_has"]
    findings = {finding["what"]: finding for finding in shell.json("doctor")}
    assert "dubbing[robot]" in findings["engine robot"]["message"]
    assert not findings["engine robot"]["needed"]


def test_a_line_that_cannot_be_spoken_by_run_leaves_no_process(tmp_path: Path) -> None:
    console = Console(tmp_path / "home")
    (console.home / "long.json").write_text(manifest(segments=[{**LINE, "text": "1" * 41}]))
    assert "cue 1" in console("run", "long.json", "--engine", "tone", code=2).stderr
    assert console.processes() == []
    assert not list(console.storage.rglob("job.json"))


def test_run_goes_on_with_a_job_that_was_cancelled(shell: Shell, console: Console) -> None:
    job = ("good.srt", "--language", "en", "--engine", "tone", "--id", "a")
    shell("submit", *job)
    assert shell.json("cancel", "a")["state"] == "cancelled"
    status = console.json("run", *job)
    assert (status["state"], status["round"]) == ("completed", 2)
    names = ["good.dub.flac", "good.dub.srt", "good.report.html", "good.report.json"]
    assert [Path(file).name for file in status["files"]] == names


def test_flower_names_a_port_that_is_taken(console: Console) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"--port {port}" in console("flower", "--port", port, code=2).stderr


def test_the_doctor_finds_what_is_missing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    found = shell.json("doctor")
    assert all(finding["well"] for finding in found if finding["needed"])
    assert "ok       Redis" in shell("doctor")[0]
    monkeypatch.setenv("DUBBING_STORAGE_URL", "/dev/null/x")
    monkeypatch.delenv("DUBBING_REDIS_URL")
    [finding] = [f for f in shell.json("doctor", code=1) if f["needed"] and not f["well"]]
    assert finding["what"] == "storage"
    assert "/dev/null/x" in finding["message"]


def test_the_schema_is_one_and_the_example_follows_it(shell: Shell) -> None:
    schema = json.loads(shell("schema")[0])
    jsonschema.Draft202012Validator.check_schema(schema)
    example = json.loads(SCENE.read_text())
    jsonschema.validate(example, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**example, "langauge": "de"}, schema)


@pytest.mark.parametrize("name", [*MODULES, "worker"])
def test_every_command_explains_itself(name: str, shell: Shell) -> None:
    assert f"Usage: dubbing {name}" in shell(name, "--help")[0]


def test_a_terminal_gets_a_bar(shell: Shell, console: Console) -> None:
    shell("submit", "good.srt", "--language", "en", "--id", "a")
    shell("cancel", "a")
    leader, follower = pty.openpty()
    with console.started("watch", "a", stderr=follower) as process:
        os.close(follower)
        wait_until(lambda: process.poll() is not None, seconds=20, what="the watcher's end")
    shown = os.read(leader, 10_000).decode()
    os.close(leader)
    assert process.returncode == 1
    assert "a cancelled" in shown
    assert "0/1" in shown
    assert "\x1b[" in shown


def plugin(folder: Path) -> None:
    """Write a package that brings an engine whose library is not installed."""
    info = folder / "robot-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: robot\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dubbing.engines]\nrobot = robot_engine:Robot\n")
    source = """
        from dubbing.engines.adapters.tone import Tone

        class Robot(Tone):
            spec = Tone.spec.model_copy(update={"name": "robot"})
            extra = "robot"
            libraries = ("robot_voice_that_nobody_has",)
    """
    (folder / "robot_engine.py").write_text(textwrap.dedent(source))


def test_a_conflict_in_a_list_keeps_the_whole_list_from_being_stored(shell: Shell) -> None:
    shell.json("submit", "good.srt", "--language", "en", "--id", "taken")
    (shell.home / "list.csv").write_text(
        "script,language,id\ngood.srt,fr,fresh\ngood.srt,de,taken\n"
    )
    assert "'taken'" in shell("submit", "list.csv", code=2)[1]
    assert not (shell.storage / "jobs" / "fresh").exists()


@pytest.mark.parametrize("script", [None, "#!/bin/sh\nexit 1\n"])
def test_doctor_finds_an_ffmpeg_that_does_not_start(
    shell: Shell, script: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable = shell.home / "ffmpeg"
    if script:
        executable.write_text(script)
        executable.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(executable))
    findings = {finding["what"]: finding for finding in shell.json("doctor", code=1)}
    assert not findings["ffmpeg"]["well"]
    assert "does not start" in findings["ffmpeg"]["message"]
    assert findings["storage"]["well"]


def test_a_revision_names_the_job_that_it_changes(shell: Shell) -> None:
    script = str(shell.home / "good.srt")
    _, err = shell("submit", "--revise", script, "--language", "en", code=2)
    assert "1 of them have no id" in err
    _, err = shell("submit", "--revise", script, "--language", "en", "--id", "unheard-of", code=2)
    assert "no job 'unheard-of'" in err
    assert not (shell.storage / "jobs").exists()


def test_a_job_that_is_at_work_is_not_changed(shell: Shell) -> None:
    script = shell.home / "good.srt"
    named = (str(script), "--language", "en", "--id", "busy")
    shell("submit", *named)
    assert not shell.json("submit", "--revise", *named)[0]["created"]
    script.write_text(GOOD.replace("day", "night"))
    _, err = shell("submit", "--revise", *named, code=2)
    assert "still at work: wait until it has ended, or cancel it first" in err
    _, err = shell("submit", *named, code=2)
    assert "--revise" in err
    shell("cancel", "busy")
    assert shell.json("submit", "--revise", *named)[0]["created"]
    assert shell.json("status", "busy")["round"] == 2


def test_what_there_is_of_a_job_that_has_not_begun_is_a_report(shell: Shell) -> None:
    shell("submit", str(shell.home / "good.srt"), "--language", "en", "--id", "waits")
    out = shell.home / "out"
    _, err = shell("fetch", "waits", "--out", str(out), code=2)
    assert "--partial" in err
    shell("fetch", "waits", "--partial", "--out", str(out))
    report = json.loads((out / "good.report.json").read_text())
    assert (report["state"], len(report["lines"])) == ("queued", 1)
    assert report["lines"][0]["error"]


@pytest.mark.parametrize(
    ("option", "value", "refusal"),
    [
        ("--fallback", "espaek", "no engine 'espaek'"),
        ("--allow-missing", "1.5", "1.5 is not in the range"),
    ],
)
def test_what_a_job_cannot_fall_back_to_is_refused(
    shell: Shell, option: str, value: str, refusal: str
) -> None:
    _, err = shell(
        "submit", str(shell.home / "good.srt"), "--language", "en", option, value, code=2
    )
    assert refusal in err
    assert not (shell.storage / "jobs").exists()
