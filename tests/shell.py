"""`dubbing` in the tests' own process, which spares the start of Python and the imports."""

from __future__ import annotations

import io
import os
import subprocess
from contextlib import redirect_stderr, redirect_stdout

import pytest
from console import Console
from services import PLUGINS

from dubbing import cli


class Shell(Console):
    """A console for commands that start no process and get no signal; `started` starts real ones.

    Unlike the processes of a console, a command that hangs is ended by pytest alone.
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
