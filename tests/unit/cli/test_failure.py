"""The end of commands that raise what nobody foresaw: one line, and where the details are."""

from __future__ import annotations

import json
import re
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dubbing import cli

COMMANDS = '''
"""Commands that end as no command should."""

import os
import signal

import click


@click.group()
def ends():
    """End badly."""


@ends.command("with")
@click.argument("what")
@click.option("--json", is_flag=True)
def with_(what, json):
    WAYS[what]()


def unknown():
    raise KeyError("one\\nline \\x1b]0;title\\x07" + 999 * "x")


def deep():
    deep()


def large():
    bytearray(1 << 60)


def several():
    raise ExceptionGroup("two", [ValueError(1), OSError(2)])


WAYS = {
    "unknown": unknown,
    "deep": deep,
    "large": large,
    "several": several,
    "folder": lambda: open("/"),
    "interrupt": lambda: os.kill(os.getpid(), signal.SIGINT),
}
'''

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `dubbing ends with …`, a command of another package; returns its code and its words."""
    info = tmp_path / "package" / "ends-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ends\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dubbing.commands]\nends = badly_ending:ends\n")
    (info.parent / "badly_ending.py").write_text(COMMANDS)
    monkeypatch.syspath_prepend(str(info.parent))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DUBBING_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["ends", "with", *arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capsys.readouterr()

    return run


def details(words: str) -> Path:
    found = re.search(r"; the details are in (\S+\.log)$", words.rstrip("\n"))
    assert found, words
    return Path(found[1])


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("unknown", "KeyError: "),
        ("deep", "RecursionError: maximum recursion depth exceeded"),
        ("large", "MemoryError"),
        ("several", "ExceptionGroup: two"),
        ("folder", "IsADirectoryError: [Errno 21]"),
    ],
)
def test_any_exception_is_one_line_that_names_the_file_of_its_details(
    what: str, said: str, run: Run, tmp_path: Path
) -> None:
    code, out, err = run(what)
    assert (code, out) == (1, "")
    assert err.startswith(f"error: unexpected error: {said}")
    assert err.count("\n") == 1
    assert len(err) < 700
    path = details(err)
    assert path.parent == tmp_path / "home" / "logs"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "badly_ending.py" in path.read_text()
    assert said.partition(":")[0] in path.read_text()


def test_it_is_an_error_in_json_too(run: Run) -> None:
    code, out, err = run("unknown", "--json")
    assert (code, err) == (1, "")
    error = json.loads(out)["error"]
    assert error["code"] == "unforeseen"
    assert details(error["message"]).exists()


def test_the_details_go_to_the_temporary_folder_where_the_home_takes_none(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").touch()
    assert details(run("deep")[2]).parent == tmp_path
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "home"))
    assert run("deep")[2].endswith("DUBBING_LOG_LEVEL=DEBUG shows the details\n")


def test_wrong_settings_do_not_hide_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBBING_SLOTS", "many")
    assert details(run("folder")[2]).parent == tmp_path


def test_the_details_are_printed_on_request(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBBING_LOG_LEVEL", "DEBUG")
    _, _, err = run("unknown")
    assert err.startswith("Traceback (most recent call last):\n")
    assert "\x1b" not in err


def test_an_interrupted_command_says_nothing(run: Run) -> None:
    code, out, err = run("interrupt")
    assert (code, out, err.strip()) == (130, "", "")
