"""Folders that cannot hold what they must: said before anything is dubbed, in one line."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from confined import confined, possible
from console import SCRIPT, Console
from services import unavailable

from dubbing import cli
from dubbing.embedded.redis import is_up
from dubbing.embedded.stack import Stack
from dubbing.errors import BadInput, QueueRefused, StorageRefused
from dubbing.settings import Settings
from dubbing.storage import Storage
from dubbing.system import System

SCRIPT_TEXT = "1\n00:00:01,000 --> 00:00:03,000\nGood day.\n"
LOCKLESS, LINKLESS = ("flock=ENOLCK",), ("link=EPERM", "linkat=EPERM")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with a script beside it; what a test made read-only can be removed again."""
    if not possible():
        unavailable("a way to confine a process")
    (tmp_path / "a.srt").write_text(SCRIPT_TEXT)
    (tmp_path / "home" / "storage").mkdir(parents=True)
    yield tmp_path / "home"
    for folder in tmp_path.rglob("*"):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o700)


def refused(home: Path, *arguments: str, denied: tuple[str, ...] = (), **environment: str) -> str:
    """Run a command with less than it could do; return the one line with which it is refused."""
    done = subprocess.run(
        [*confined(*denied), str(SCRIPT), *arguments],
        cwd=home.parent,
        env={**os.environ, "DUBBING_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    (line,) = (line for line in said.splitlines() if not line.startswith("warning: "))
    assert line.startswith("error: ")
    storage = home / "storage"
    if os.access(storage, os.R_OK):
        assert [path for path in storage.rglob("*") if not path.is_dir()] == []
    assert Console(home).processes() == []
    return line


@pytest.mark.parametrize(
    ("folder", "denied", "said"),
    [
        ("home", (), "home: nothing can be written there: Permission denied: set DUBBING_HOME"),
        ("home/storage", (), "storage cannot be written: Permission denied: let this user"),
        ("tmp", (), "tmp: make this folder, or name a writable one"),
        ("out", (), "--out out/de: nothing can be written there: Permission denied"),
        ("tmp2", LOCKLESS, "its file system cannot lock files"),
        ("tmp2", LINKLESS, "without hard links (Operation not permitted)"),
    ],
    ids=["home", "storage", "TMPDIR", "out", "no locks", "no links"],
)
def test_a_folder_that_cannot_be_used_is_named_before_anything_starts(
    folder: str, denied: tuple[str, ...], said: str, home: Path
) -> None:
    (home.parent / folder).mkdir(exist_ok=True)
    tmp = home.parent / "tmp"
    tmp.mkdir(exist_ok=True)
    (home.parent / folder).chmod(0o500)
    run = ("run", "a.srt", "--language", "en", "--engine", "tone", "--out", "out/de")
    assert said in refused(home, *run, denied=denied, TMPDIR=str(tmp), DUBBING_REDIS_URL="")


def test_jobs_need_a_storage_that_holds_links(home: Path, redis_url: str) -> None:
    submit = ("submit", "a.srt", "--language", "en", "--engine", "tone")
    line = refused(home, *submit, denied=LINKLESS, DUBBING_REDIS_URL=redis_url)
    assert f"the storage folder {home / 'storage'} is on a file system without hard links" in line
    with redis.from_url(redis_url) as client:
        assert not list(client.scan_iter("*job*"))


@pytest.mark.parametrize(
    "arguments",
    [("fetch", "a", "--out", "file/out"), ("say", "Good day", "--out", "file/line.wav")],
    ids=" ".join,
)
def test_where_files_go_is_checked_before_they_are_asked_for(
    arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    # No Redis answers there.
    monkeypatch.setenv("DUBBING_REDIS_URL", "redis://127.0.0.1:1/0")
    Path("file").touch()
    with pytest.raises(SystemExit, match="2"):
        cli.main([*arguments])
    assert "nothing can be written there: Not a directory" in capsys.readouterr().err


def test_a_settings_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match=r"\.env: the file cannot be read: it is not UTF-8"):
        Settings()


def test_a_storage_of_links_is_refused_by_its_first_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageRefused, match="cannot be made: Not a directory"):
        Storage.at(str(tmp_path / "file" / "storage")).create("key", b"")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_the_embedded_stack_keeps_is_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", redis_url="", storage_url="")
    # A home of an older release.
    settings.logs.mkdir(parents=True)
    with Stack(settings, []) as stack:
        System(settings).ledger.greet()
        private = (settings.logs, settings.home / "storage")
        assert {mode(path) for path in private} == {0o700}
        # Nobody else comes as far as the objects of storage.
        files = {path for path in settings.home.rglob("*") if path.is_file()}
        beside = files - {*private[1].rglob("*")}
        assert {mode(path) for path in beside} == {0o600}
        assert stack.log_path("redis").exists()
        assert mode(settings.socket.parent) == 0o700
        assert mode(settings.socket) == 0o700
    fresh = Settings(home=tmp_path / "fresh", redis_url="")
    with Stack(fresh, []):
        assert mode(fresh.home) == 0o700


def test_a_socket_that_others_may_have_made_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", redis_url="")
    with Stack(settings, []):
        folder = settings.socket.parent
        folder.chmod(0o777)
        for connect in (lambda: System(settings).ledger, lambda: is_up(settings)):
            with pytest.raises(QueueRefused, match="other users can write into"):
                connect()
        folder.chmod(0o700)
        if os.getuid() == 0:
            os.chown(folder, 12345, -1)
            with pytest.raises(QueueRefused, match="belongs to another user"):
                is_up(settings)
            os.chown(folder, 0, -1)
        System(settings).ledger.greet()
    folder.symlink_to(tmp_path)
    with pytest.raises(QueueRefused, match="belongs to another user"), Stack(settings, []):
        pass
    folder.unlink()


@pytest.mark.parametrize("name", ["redis.lock", "logs/redis.log"])
def test_a_file_of_the_home_that_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    settings = Settings(home=tmp_path / "home", redis_url="")
    (settings.home / name).mkdir(parents=True)
    with pytest.raises(BadInput, match="set DUBBING_HOME") as caught, Stack(settings, []):
        pass
    assert str(settings.home / name) in str(caught.value)


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    settings = Settings(home=tmp_path / "home", redis_url="")
    with pytest.raises(BadInput, match="set DUBBING_HOME to another folder"), Stack(settings, []):
        pass
