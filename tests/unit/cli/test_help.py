"""`dubbing help`: the documents that come with the program."""

from __future__ import annotations

import click
import pytest
from deployments import ROOT

from dubbing import cli
from dubbing.cli.commands import group
from dubbing.cli.help import topics


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(["help", *arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code or 0) == code, err
    return out or err


def test_all_documents_are_listed_by_their_titles(capsys: pytest.CaptureFixture[str]) -> None:
    rows = dict(line.split("\t") for line in shown(capsys).splitlines())
    files = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert rows.keys() == files | {"readme", "security", "changelog"}
    assert rows["gpu-hosts"] == "Engines on other machines"


def test_a_document_is_shown_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "security") == (ROOT / "SECURITY.md").read_text()


def test_a_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "fetch").startswith("Usage: dubbing fetch [OPTIONS]")


def test_what_was_mistyped_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean 'gpu-hosts'?" in shown(capsys, "gpu-host", code=2)


def test_no_document_hides_a_command() -> None:
    with click.Context(group) as context:
        assert not topics().keys() & set(group.list_commands(context))
