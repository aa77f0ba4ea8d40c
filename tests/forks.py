"""`dubbing` in processes that are forked from one, which has imported what they need.

Each is a process of its own, as the console script is, and may be killed. Its start takes no second
of a processor, which is what Python and the imports take.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import NoReturn

from dubbing import cli
from dubbing.system import System

USED = ("dubbing.cli.jobs", "dubbing.cli.submit", "dubbing.submission.submit")
"""Modules that the commands import when they need them."""


class Forks:
    """Runs commands one after another, each in its own process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, *arguments: str) -> int:
        """Run a command; return its exit status, negative for the signal that killed it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def forks(environment: Mapping[str, str]) -> Iterator[Forks]:
    """Commands during the block, with these environment variables."""
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(environment),
    ) as process:
        yield Forks(process)
    assert process.returncode == 0


def _serve() -> None:
    """Run the commands that come as JSON, a line each; answer their exit statuses."""
    for module in USED:
        import_module(module)
    # All engines and Celery are imported as they are first asked for.
    system = System()
    system.catalogue.specs()
    system.app.finalize()
    for line in sys.stdin:
        forked = os.fork()
        if not forked:
            _become(json.loads(line))
        status = os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


def _become(arguments: list[str]) -> NoReturn:
    """Be the console script, whose output nobody reads."""
    sys.stdin.close()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    cli.main(arguments)
    raise AssertionError("the command line exits")


if __name__ == "__main__":
    _serve()
