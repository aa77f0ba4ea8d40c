"""`dubbing lint`: cautions for translators and script writers before any line is spoken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dubbing.cli.cautions import in_words
from dubbing.cli.job_options import job_options, read_jobs
from dubbing.cli.output import echo, json_option, print_json
from dubbing.client import Client
from dubbing.documents import together


@click.command()
@click.argument("scripts", nargs=-1, required=True, type=click.Path(path_type=Path))
@job_options
@json_option
def lint(scripts: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Check SCRIPTS as `submit` does, and list every caution; needs no Redis.

    For a line that is too long, shows the surplus seconds and characters. They follow from the pace
    of its voice in earlier jobs, or else from the usual pace of its engine.
    """
    reading = read_jobs(scripts, options)
    client = Client.connect()
    if reading.faults:
        raise together([*reading.faults, *client.faults(reading.jobs)])
    cautions = [*reading.cautions, *client.lint(reading.jobs)]
    if as_json:
        print_json([caution.model_dump(mode="json") for caution in cautions])
        return
    for caution in cautions:
        echo(in_words(caution))
