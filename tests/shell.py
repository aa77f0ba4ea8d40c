"""The command line in the process of the test: for commands that start no process of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dubbing import cli


@dataclass(frozen=True)
class Shell:
    """Runs ``dubbing`` in its home, also the working folder, by the variables of this process."""

    home: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def storage(self) -> Path:
        return self.home / "storage"

    def __call__(self, *arguments: object, code: int = 0) -> tuple[str, str]:
        """Run a command to its end, which is ``code``; return its output and its complaints."""
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([*map(str, arguments)])
        out, err = self.capsys.readouterr()
        assert (ended.value.code or 0) == code, out + err
        return out, err

    def json(self, *arguments: object, code: int = 0) -> Any:
        """Return what a command prints with ``--json``."""
        return json.loads(self(*arguments, "--json", code=code)[0])
