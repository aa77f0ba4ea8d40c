"""The scripts that run on an AutoDL card, run in a folder that stands for its root."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from console import wait_until

AUTODL = Path(__file__).resolve().parents[2] / "scripts" / "autodl"
NO_MODEL = {"name": "xtts", "state": "no_model", "repository": "coqui/XTTS-v2", "home": "there"}
PYTHON = f"""\
case "$1 $2 $3" in
'-m venv '*) mkdir -p "${{@: -1}}/bin"; cp "${{0%/*}}"/venv/* "${{@: -1}}/bin" ;;
'-m pip --version') ;;
'-m pip install') printf '%s\n' "$@" >"$LOG.pip" ;;
*) exec {sys.executable} "$@" ;;
esac
"""
DUBBING = """\
case "$1 $2" in
'models --json') cat "$LOG.models" ;;
'models fetch') echo "$3" "${http_proxy:-}" "$DUBBING_HOME" >>"$LOG.fetched" ;;
*)
    echo $$ >"$LOG.pid"
    env >"$LOG.new"
    mv "$LOG.new" "$LOG.env"
    echo "$PWD" "$@" >>"$LOG.served"
    exec sleep 60
    ;;
esac
"""


class Machine:
    """A card whose pip and whose engines only write down what they are asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "root" / "autodl-tmp" / "dubbing"
        self.boot = root / "etc" / "autodl.sh"
        self._programs = root / "programs"
        self._supervised = True
        self._started = False
        for folder in (self.root / "etc" / "profile.d", self.home.parent, self._programs / "venv"):
            folder.mkdir(parents=True)
        self.program("python3.12", PYTHON)
        self.program("venv/python", PYTHON)
        self.program("venv/dubbing", DUBBING)
        for name in ("supervisord", "supervisorctl"):
            self.program(f"venv/{name}", f'exec {Path(sys.executable).with_name(name)} "$@"')
        self.models()

    def program(self, name: str, body: str) -> None:
        path = self._programs / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def unsupervised(self) -> None:
        """Start nothing: a test that asks for no start is quicker without one."""
        self._supervised = False
        self.program("venv/supervisord", "")
        self.program("venv/supervisorctl", "exit 1")

    def models(self, *models: Mapping[str, str]) -> None:
        """Let the program know these models."""
        (self.root / "log.models").write_text(json.dumps(models))

    def log(self, name: str) -> str:
        """Return what was written down, or nothing."""
        path = self.root / f"log.{name}"
        return path.read_text() if path.exists() else ""

    def run(self, name: str, *arguments: str, code: int = 0, **environment: str) -> str:
        """Run a script to its end, which is ``code``; return all it said."""
        done = subprocess.run(
            [AUTODL / name, *arguments],
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self._started |= self._supervised and name == "install" and done.returncode == 0
        assert done.returncode == code, done.stdout
        return done.stdout

    def start(self) -> None:
        """Do what the platform does when the card is started."""
        subprocess.run([self.boot], env=self._environment({}), check=True)
        self._started = self._supervised

    def served(self) -> dict[str, str]:
        """Return the environment of what is served, once something is."""
        wait_until(lambda: self.log("served"), seconds=60, what="served")
        lines = (line.partition("=") for line in self.log("env").splitlines())
        return {name: value for name, _, value in lines}

    def stop(self) -> None:
        """End what was started, as a power-off does."""
        if self._started:
            pid = self.home / "supervisord.pid"
            wait_until(lambda: pid.exists() and pid.read_text(), seconds=60, what="supervised")
            os.kill(int(pid.read_text()), signal.SIGKILL)
            pid.unlink()
        self._started = False
        self.end()

    def runs(self) -> bool:
        """Whether supervisor takes what is served for started."""
        control = Path(sys.executable).with_name("supervisorctl")
        asked = [control, "-c", self.home / "supervisord.conf", "status", "dubbing"]
        return b"RUNNING" in subprocess.run(asked, capture_output=True, check=False).stdout

    def end(self) -> None:
        """End what is served."""
        if pid := self.log("pid"):
            (self.root / "log.pid").unlink()
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        path = f"{self._programs}:{os.environ['PATH']}"
        log = str(self.root / "log")
        return {"PATH": path, "AUTODL_ROOT": str(self.root), "LOG": log, **more}


@pytest.fixture
def card() -> Iterator[Machine]:
    # A socket lies there, whose path may not exceed some 100 characters.
    with tempfile.TemporaryDirectory(prefix="card-") as folder:
        machine = Machine(Path(folder))
        try:
            yield machine
        finally:
            machine.stop()


def test_an_engine_is_served_with_its_key_and_without_a_proxy(card: Machine) -> None:
    said = card.run(
        "install", "server", "xtts", "coqui", http_proxy="http://proxy", HTTPS_PROXY="p"
    )
    environment = card.served()
    key = (card.home / "key").read_text().strip()
    assert card.log("served").split()[1:] == shlex.split(
        "engine-server xtts --host 0.0.0.0 --port 6006"
    )
    assert len(key) > 30
    assert environment["DUBBING_ENGINE_SERVER_KEY"] == key
    assert environment["DUBBING_HOME"] == str(card.home)
    assert not [name for name in environment if name.lower().endswith("_proxy")]
    assert any("[fetch,engine-server,coqui]" in word for word in card.log("pip").splitlines())
    logs = "".join(path.read_text() for path in (card.home / "logs").iterdir())
    assert logs
    assert key not in said + logs + (card.home / "supervisord.conf").read_text()
    modes = {path.name: oct(path.stat().st_mode)[-3:] for path in (card.home, card.home / "key")}
    assert modes == {"dubbing": "700", "key": "600"}


def test_what_is_served_starts_with_the_card_and_again_when_it_ends(card: Machine) -> None:
    card.run("install", "server", "xtts")
    card.served()
    wait_until(card.runs, seconds=60, what="running")
    card.end()
    wait_until(lambda: card.log("served").count("\n") == 2, seconds=60, what="served again")
    card.stop()
    card.start()
    wait_until(lambda: card.log("served").count("\n") == 3, seconds=60, what="started")


def test_installing_again_changes_what_is_served_and_adds_no_line(card: Machine) -> None:
    card.boot.write_text("#!/bin/sh\necho mine >>/dev/null\nexit 0\n")
    card.run("install", "server", "xtts")
    card.served()
    first, key = card.boot.read_text(), (card.home / "key").read_text()
    (card.home / ".env").touch(0o600)
    (card.home / ".env").write_text("DUBBING_REDIS_URL=rediss://queue\n")
    card.run("install", "worker", "piper", "piper")
    wait_until(lambda: "worker piper" in card.log("served"), seconds=60, what="the worker")
    assert card.log("served").splitlines()[-1] == f"{card.home} worker piper"
    assert card.boot.read_text() == first
    assert (card.home / "key").read_text() == key
    lines = first.splitlines()
    assert (lines[0], lines[2:]) == ("#!/bin/sh", ["echo mine >>/dev/null", "exit 0"])
    assert lines[1].endswith("# dubbing")


def test_a_start_without_the_data_disk_changes_nothing(card: Machine) -> None:
    card.unsupervised()
    card.run("install", "server", "xtts")
    (card.home / "venv").rename(card.home / "elsewhere")
    card.start()


@pytest.mark.parametrize("mode", [0o644, None])
def test_a_worker_needs_settings_that_nobody_else_can_read(card: Machine, mode: int | None) -> None:
    card.home.mkdir()
    if mode:
        (card.home / ".env").write_text("DUBBING_REDIS_URL=rediss://:secret@queue\n")
        (card.home / ".env").chmod(mode)
    said = card.run("install", "worker", "xtts", code=2)
    assert f"{card.home}/.env" in said and "secret" not in said
    assert not card.boot.exists()


def test_a_model_is_fetched_by_the_proxy_for_downloads_and_only_once(card: Machine) -> None:
    card.unsupervised()
    (card.root / "etc" / "network_turbo").write_text("export http_proxy=http://turbo\n")
    card.models(NO_MODEL)
    card.run("install", "server", "xtts")
    assert card.log("fetched") == f"xtts http://turbo {card.home}\n"
    card.models({**NO_MODEL, "state": "ready"})
    card.run("install", "server", "xtts")
    assert card.log("fetched").count("\n") == 1


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({**NO_MODEL, "repository": ""}, "models/xtts: put its model there, from there"),
        ({**NO_MODEL, "state": "no_library", "extra": "coqui"}, "name its extra as well: coqui"),
    ],
)
def test_what_an_engine_lacks_is_named(card: Machine, model: dict[str, str], words: str) -> None:
    card.models(model)
    assert words in card.run("install", "server", "xtts", code=2)
    assert not card.boot.exists()


@pytest.mark.parametrize("arguments", [[], ["server"], ["both", "xtts"], ["server", "x; reboot"]])
def test_a_wrong_call_changes_nothing(card: Machine, arguments: list[str]) -> None:
    card.run("install", *arguments, code=2)
    assert not card.home.exists()


@pytest.mark.parametrize("url", ["https://u1-x.seetacloud.com:8443", "u1-x.seetacloud.com:8443"])
def test_a_card_tells_the_command_that_adds_it(card: Machine, url: str) -> None:
    profile = card.root / "etc" / "profile.d" / "autodl.env.sh"
    profile.write_text(f'export AutoDLService6006URL="{url}"\nexport JupyterToken=token\n')
    added = "dubbing endpoints add {} https://u1-x.seetacloud.com:8443{} --key-from {}\n"
    assert card.run("address", "indextts") == added.format("indextts", "", "DUBBING_KEY_AUTODL")
    said = card.run("address", "openai", "/v1", AutoDLService6006URL=url)
    assert said == added.format("openai", "/v1", "DUBBING_KEY_AUTODL")


def test_a_machine_without_an_address_says_so(card: Machine) -> None:
    assert "AutoDLService6006URL is not set" in card.run("address", "indextts", code=2)
