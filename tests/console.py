"""The console script in its own home, and the processes that it leaves behind."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from services import PLUGINS

from dubbing import cli

ROOT = Path(__file__).parent.parent
SCENE = ROOT / "examples" / "scene.json"
SCRIPT = Path(sys.executable).with_name("dubbing")


class Console:
    """Runs ``dubbing`` in its home, also its working folder, with only the given settings."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.storage = home / "storage"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("DUBBING_")},
            "DUBBING_HOME": str(home),
            "PYTHONPATH": str(PLUGINS),
            **environment,
        }
        home.mkdir(parents=True, exist_ok=True)

    def __call__(
        self, *arguments: object, code: int = 0, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; it has to end with exit status ``code`` and without a traceback."""
        done = subprocess.run(
            self._command(arguments),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=self.home,
            env=self.environment,
        )
        return self._checked(done, code)

    @staticmethod
    def _checked(
        done: subprocess.CompletedProcess[str], code: int
    ) -> subprocess.CompletedProcess[str]:
        """Return a command that has ended as it should."""
        said = done.stdout + done.stderr
        assert done.returncode == code, f"{done.args} ended with {done.returncode}\n{said}"
        assert "Traceback" not in said
        return done

    def json(self, *arguments: object, code: int = 0) -> Any:
        """Return the output of a command with ``--json``."""
        return json.loads(self(*arguments, "--json", code=code).stdout)

    @contextmanager
    def started(
        self, *arguments: object, stderr: int = subprocess.PIPE
    ) -> Iterator[subprocess.Popen[str]]:
        """Run a command during the block; terminate it afterwards if it still runs."""
        process = subprocess.Popen(
            self._command(arguments),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=self.home,
            env=self.environment,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

    def processes(self) -> list[str]:
        """Return the command lines of all processes with this home, whoever started them."""
        mark = f"DUBBING_HOME={self.home}\0".encode()
        commands = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes():
                    commands.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return commands

    def _command(self, arguments: tuple[object, ...]) -> list[str]:
        return [str(SCRIPT), *map(str, arguments)]


class Inside(Console):
    """A console whose commands run in the tests' own process, which spares Python and the imports.

    It is for commands that start no process and get no signal; `started` starts real ones. A
    command that hangs is ended by pytest alone.
    """

    def __call__(
        self, *arguments: object, code: int = 0, timeout: float = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; it has to end with exit status ``code`` and without a traceback."""
        command, out, err = self._command(arguments), io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.home)
            patch.syspath_prepend(PLUGINS)
            for name in os.environ.keys() - self.environment.keys():
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
                cli.main(command[1:])
        status = ended.value.code or 0
        return self._checked(
            subprocess.CompletedProcess(command, status, out.getvalue(), err.getvalue()), code
        )


def wait_until(condition: Callable[[], object], *, seconds: float, what: str) -> None:
    """Return once ``condition`` holds; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        time.sleep(0.05)
