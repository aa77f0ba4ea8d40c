"""The commands, each imported when it is called."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from importlib.metadata import distribution, entry_points

import click

from dubbing.cli.exit_codes import INTERRUPTED
from dubbing.cli.failure import report
from dubbing.cli.group import Group
from dubbing.telemetry.lines import print_warnings

GROUP = "dubbing.commands"
MODULES = {
    "run": "dubbing.cli.run",
    "up": "dubbing.cli.stack",
    "flower": "dubbing.cli.stack",
    "submit": "dubbing.cli.submit",
    "lint": "dubbing.cli.lint",
    "status": "dubbing.cli.jobs",
    "watch": "dubbing.cli.jobs",
    "jobs": "dubbing.cli.jobs",
    "logs": "dubbing.cli.story",
    "why": "dubbing.cli.story",
    "fetch": "dubbing.cli.jobs",
    "cancel": "dubbing.cli.jobs",
    "delete": "dubbing.cli.deletion",
    "retry": "dubbing.cli.jobs",
    "gc": "dubbing.cli.retention",
    "usage": "dubbing.cli.retention",
    "say": "dubbing.cli.speech",
    "voices": "dubbing.cli.voices",
    "engines": "dubbing.cli.speech",
    "endpoints": "dubbing.cli.endpoints",
    "engine-server": "dubbing.cli.engine_server",
    "serve": "dubbing.cli.serve",
    "keys": "dubbing.cli.keys",
    "webhooks": "dubbing.cli.webhooks",
    "models": "dubbing.cli.models",
    "words": "dubbing.cli.words",
    "workers": "dubbing.cli.workers",
    "scale-hint": "dubbing.cli.scaling",
    "exporter": "dubbing.cli.exporter",
    "doctor": "dubbing.cli.doctor",
    "schema": "dubbing.cli.doctor",
    "help": "dubbing.cli.help",
}


class Commands(Group):
    """Imports a command's module on first use, so that a worker does not load the client."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [*MODULES, *sorted(entry_points(group=GROUP).names)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a built-in command, or one that an entry point provides; None for neither."""
        try:
            return _imported(cmd_name)
        finally:
            # See `dubbing.cli.main`.
            gc.enable()


def _imported(name: str) -> click.Command | None:
    if name in MODULES:
        module = import_module(MODULES[name])
        command: click.Command = getattr(module, name.replace("-", "_"))
        return command
    # Other packages may provide commands, too; to look at all that are installed takes longer.
    own = distribution("dubbing").entry_points.select(group=GROUP, name=name)
    for point in own or entry_points(group=GROUP, name=name):
        provided: click.Command = point.load()
        return provided
    return None


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`dubbing help` lists the documents that come with the program.",
)
@click.version_option(package_name="dubbing")
def group() -> None:
    """Dub films: make a dubbed film from a translated, timed script, a cast and the film."""


def run(arguments: list[str] | None) -> None:
    """Run the command line and exit; by default with the arguments of this process."""
    as_json = "--json" in (sys.argv if arguments is None else arguments)
    print_warnings()
    try:
        code = group.main(args=arguments, prog_name="dubbing", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception as exc:  # noqa: BLE001 - no exception leaves the command line
        code = report(exc, as_json=as_json)
    sys.exit(code)
