"""What reaches a terminal: text that was handed in arrives visible, and never as orders to it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from console import SCRIPT
from ledgers import record
from recordings import silence

from dubbing import cli
from dubbing.embedded.stack import environment
from dubbing.engines.holding import Holding
from dubbing.ledger import Ledger
from dubbing.media.samples import Audio
from dubbing.settings import Settings
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.visible import OBEYED
from dubbing.voices.reference import RATE
from dubbing.voices.store import store_voice
from dubbing.voices.voice import Voice

ORDERS = "\x1b[2J\x1b]52;c;ZXZpbA==\x07\x9b31m\u202e"
"""It would clear the screen, set the clipboard and the colour, and turn the text around."""
SHOWN = r"\x1b[2J\x1b]52;c;ZXZpbA==\x07\x9b31m\u202e"
DIGEST = "ab" * 32


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an empty home, those of this process too."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(home=tmp_path, redis_url=redis_url)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def voice(settings: Settings) -> Voice:
    """A stored voice whose owner wrote orders, and markup, into all that can be written."""
    voice = Voice(
        digest=DIGEST,
        seconds=5,
        transcript=f"[red]{ORDERS}",
        provenance=(f"[link=x]{ORDERS}.wav",),
        consent=f"agreed [/signed] {ORDERS}",
    )
    storage = Storage.at(settings.storage)
    store_voice(storage, voice, Audio(samples=silence(5), rate=RATE))
    storage.create(Keys.voice_name("ada"), DIGEST.encode())
    return voice


def obeyed(text: str) -> set[str]:
    return set(OBEYED.findall(text)) - {"\n", "\t"}


def on_terminal(*arguments: str) -> str:
    """Run a command on a terminal; return what the terminal got, less the styles of a table."""
    leader, follower = pty.openpty()
    done = subprocess.Popen(
        [SCRIPT, *arguments],
        stdout=follower,
        stderr=follower,
        env={**os.environ, "COLUMNS": "300"},
    )
    os.close(follower)
    got = b"".join(_read(leader))
    os.close(leader)
    assert done.wait(20) == 0, got
    return re.sub(r"\x1b\[[\d;]*m", "", got.decode().replace("\r\n", "\n"))


def _read(leader: int) -> Iterator[bytes]:
    try:
        while data := os.read(leader, 10_000):
            yield data
    except OSError:
        # Linux ends a terminal that nobody writes to with an error.
        return


def test_markup_and_orders_in_a_voice_are_shown_as_they_were_written(voice: Voice) -> None:
    shown = on_terminal("voices", "show", "ada")
    assert f"agreed [/signed] {SHOWN}" in shown
    assert f"[red]{SHOWN}" in shown
    assert f"[link=x]{SHOWN}.wav" in shown
    assert not obeyed(shown)


def test_a_document_is_laid_out() -> None:
    first, *_ = on_terminal("help", "sound").splitlines()
    assert first.strip() == "Loudness: speech first"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """Run a command in this process; return its output and its complaints, and both are clean."""
    with pytest.raises(SystemExit):
        cli.main([*arguments])
    out, err = capsys.readouterr()
    assert not obeyed(out + err)
    return out, err


def test_json_escapes_what_a_terminal_would_obey(
    voice: Voice, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = run(capsys, "voices", "show", "ada", "--json")
    assert json.loads(out)["voice"]["consent"] == voice.consent


def test_workers_cannot_give_orders_to_who_lists_them(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = record(name=f"w{ORDERS}@h").model_copy(
        update={"errors": (f"no {ORDERS}",), "holding": Holding(loading=ORDERS)}
    )
    Ledger(settings.redis).crew.beat(worker)
    out, err = run(capsys, "workers")
    assert out.startswith(f"w{SHOWN}@h\t")
    assert f"no {SHOWN}" in err
    out, _ = run(capsys, "workers", "--json")
    assert json.loads(out)["workers"][0]["errors"] == [f"no {ORDERS}"]


@pytest.mark.parametrize(
    "arguments",
    [
        (ORDERS,),
        ("status", ORDERS),
        ("status", "--collection", ORDERS),
        ("jobs", "--since", ORDERS),
        ("jobs", "--state", ORDERS),
        (f"--{ORDERS}",),
        ("voices", "show", ORDERS),
        ("submit", f"{ORDERS}.srt", "--language", "de"),
        ("submit", "a.srt", "--language", ORDERS),
        ("submit", "a.srt", "--language", "de", "--cast", ORDERS),
        ("submit", "\udcff.srt"),
        ("fetch", "a", "--out", f"{ORDERS}/file"),
    ],
    ids=str,
)
def test_arguments_come_back_visible(
    arguments: tuple[str, ...], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\nGood day.\n")
    Path(f"{ORDERS}").mkdir()
    Path(ORDERS, "file").touch()
    out, err = run(capsys, *arguments)
    assert not out
    assert "\\" in err
    out, err = run(capsys, *arguments, "--json")
    assert json.loads(out)["error"]["code"] in {"bad_input", "not_found"}
    assert not err
