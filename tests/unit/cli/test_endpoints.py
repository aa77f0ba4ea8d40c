"""`dubbing endpoints`: what it lists, changes and refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import speech_server
from speech_server import MODEL, VOICES, Server

from dubbing import cli


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Server, Server]]:
    with speech_server.running() as server, speech_server.running() as other:
        yield server, other


class Shell:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Run `dubbing endpoints` to its end, which is ``code``; return output and complaints."""
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main(["endpoints", *arguments])
        out, err = self._capsys.readouterr()
        assert (ended.value.code or 0) == code, out + err
        return out, err

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code)[0])


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """The command line of an installation without endpoints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DUBBING_HOME", str(tmp_path))
    return Shell(capsys)


def test_endpoints_are_added_listed_drained_and_removed(
    shell: Shell, two: tuple[Server, Server]
) -> None:
    first, second = (server.url for server in two)
    pool = shell.json("add", "openai", first, "--slots", "3")
    assert (pool["model"], pool["voices"]) == (MODEL, list(VOICES))
    shell("add", "openai", second)
    shell("drain", "openai", first)
    assert f"{first}\t3\t{MODEL}\t-\tdraining" in shell()[0]
    shell("drain", "openai", first, "--back")
    listed = shell.json()["openai"]["endpoints"]
    assert [(one["url"], one["slots"], one["draining"]) for one in listed] == [
        (second, 1, False),
        (first, 3, False),
    ]
    shell("remove", "openai", first)
    shell("remove", "openai", second)
    assert shell.json() == {}


def test_an_endpoint_that_is_added_again_is_changed(
    shell: Shell, two: tuple[Server, Server]
) -> None:
    url = two[0].url
    shell("add", "openai", url, "--field", "lang_code=a", "--field", "stream=false")
    pool = shell.json("add", "openai", f"{url}/", "--slots", "2")
    assert pool["fields"] == {"lang_code": "a", "stream": False}
    assert [one["slots"] for one in pool["endpoints"]] == [2]


def test_fields_of_a_language_are_told_by_its_tag(shell: Shell, two: tuple[Server, Server]) -> None:
    told = ["--language-field", "en", "lang_code=a", "--language-field", "es", "lang_code=e"]
    pool = shell.json("add", "openai", two[0].url, *told)
    assert pool["language_fields"] == {"en": {"lang_code": "a"}, "es": {"lang_code": "e"}}
    refused = shell("add", "openai", two[1].url, "--language-field", "en", "lang_code=b", code=2)[1]
    assert "lang_code='a' for en" in refused


def test_check_asks_each_endpoint(shell: Shell, two: tuple[Server, Server]) -> None:
    first, second = two
    shell("add", "openai", first.url)
    shell("add", "openai", second.url)
    assert shell("check")[0].count(": ok") == 2
    second.set(model="another")
    errors = {one["url"]: one["error"] for one in shell.json("check", "openai", code=1)}
    second.reset()
    assert errors[first.url] == ""
    assert "does not serve" in errors[second.url]


def test_a_cap_outlives_the_servers_that_it_counts(
    shell: Shell, two: tuple[Server, Server]
) -> None:
    first, second = (server.url for server in two)
    shell("add", "openai", first)
    assert "no price in CNY" in shell("cap", "openai", "200 CNY", code=2)[1]
    shell("add", "openai", first, "--price", "1.98 CNY/h")
    assert f"{first}\t1\t{MODEL}\t1.98 CNY/h" in shell()[0]
    assert "at most 200.00 CNY a month, 0.0000 CNY in" in shell("cap", "openai", "200 CNY")[0]
    shell("remove", "openai", first)
    assert "no price in CNY" in shell("add", "openai", second, code=2)[1]
    shell("add", "openai", second, "--price", "1200 CNY/month")
    assert shell.json("cap", "openai")["cap"] == {"amount": 200, "currency": "CNY"}
    assert "no cap" in shell("cap", "openai", "none")[0]
    shell("remove", "openai", second)
    assert shell.json() == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "openai", "nothing"], "write it as http"),
        (["add", "openai", "URL", "--key-from", "AWS_SECRET_ACCESS_KEY"], "DUBBING_KEY_OPENAI"),
        (["add", "openai", "URL", "--field", "lang_code"], "write it as NAME=VALUE"),
        (["add", "openai", "URL", "--price", "1.98"], "1.98 CNY/h or 1200 CNY/month"),
        (["cap", "openai", "200"], "write it as 200 CNY"),
        (["add", "tone", "URL"], "has no endpoints"),
        (["add", "nobody", "URL"], "not an engine's instance"),
        (["remove", "openai", "http://127.0.0.1:9/v1"], "has no endpoint http://127.0.0.1:9/v1"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    shell: Shell, two: tuple[Server, Server], arguments: list[str], words: str
) -> None:
    url = two[0].url
    assert words in shell(*(url if word == "URL" else word for word in arguments), code=2)[1]
    assert shell.json() == {}
