"""``--on-done``: a user's command that runs when a job has ended."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubbing.cli.exit_codes import DONE, FAILED
from dubbing.cli.output import warn
from dubbing.errors import BadInput

if TYPE_CHECKING:
    from dubbing.client import Client
    from dubbing.jobs.status import Status


class HookType(click.ParamType[list[str]]):
    """A command and its arguments, as a shell's line without a shell."""

    name = "COMMAND"

    def convert(
        self, value: str | list[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> list[str]:
        """Return the words of the command, whose program exists."""
        if isinstance(value, list):
            return value
        try:
            words = shlex.split(value)
        except ValueError as exc:
            self.fail(f"{value!r}: {exc}", param, ctx)
        if not words or shutil.which(words[0]) is None:
            raise BadInput("there is no such program", where=f"--on-done {value!r}")
        return words


on_done_option = click.option(
    "--on-done",
    type=HookType(),
    help="Command to run when the job has ended. It gets DUBBING_JOB and DUBBING_STATE, the status "
    "as JSON on standard input, and the written files as its last arguments.",
)


def tell(
    command: Sequence[str] | None, client: Client, status: Status, files: Sequence[Path] = ()
) -> int:
    """Run the command; return an exit code, which is not 0 if the command's is not."""
    if not command:
        return DONE
    from dubbing.cli.statuses import records  # noqa: PLC0415 - it imports the client

    done = subprocess.run(
        [*command, *map(str, files)],
        input=json.dumps(records(client, [status])[0]),
        text=True,
        env={**os.environ, "DUBBING_JOB": status.id, "DUBBING_STATE": status.state.value},
        check=False,
    )
    if done.returncode:
        warn(f"`{shlex.join(command)}` ended with exit code {done.returncode}")
    return FAILED if done.returncode else DONE
