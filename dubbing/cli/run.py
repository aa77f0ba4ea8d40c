"""`dubbing run`: dub one script with processes that this command starts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubbing.cli.cautions import print_cautions
from dubbing.cli.exit_codes import of_jobs
from dubbing.cli.job_options import job_options, read_jobs
from dubbing.cli.on_done import on_done_option, tell
from dubbing.cli.options import check_out
from dubbing.cli.output import (
    attended,
    describe,
    echo,
    json_option,
    print_json,
    show_progress,
    stopping,
)
from dubbing.cli.stack import unwind_when_terminated
from dubbing.embedded.stack import Stack
from dubbing.errors import BadInput, EngineFailed
from dubbing.job import Caution, JobState
from dubbing.jobs.status import Status
from dubbing.planning.plan import Kind
from dubbing.script.entries import Reading
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings
from dubbing.system import System
from dubbing.telemetry.options import log_options
from dubbing.text.sounds import voiced

if TYPE_CHECKING:
    from dubbing.client import Client


@click.command()
@click.argument("script", type=click.Path(path_type=Path))
@job_options
@click.option(
    "--out", default="out", show_default=True, type=click.Path(path_type=Path, file_okay=False)
)
@on_done_option
@json_option
@log_options
def run(script: Path, out: Path, on_done: list[str] | None, as_json: bool, **options: Any) -> None:
    """Dub SCRIPT at once, with a Redis and workers that this command starts.

    Ctrl-C stops everything; the same command continues where it stopped.
    """
    reading = read_jobs((script,), options)
    if len(reading.jobs) + len(reading.faults) != 1:
        raise BadInput("`run` dubs one script; `up` and `submit` dub many", where=str(script))
    if reading.faults:
        raise reading.faults[0]
    check_out(out)
    unwind_when_terminated()
    try:
        client, status, paths, cautions = _dub(reading, out)
    except KeyboardInterrupt:
        echo("stopped; the same command continues where it stopped", err=True)
        raise
    if as_json:
        told = [caution.model_dump(mode="json") for caution in cautions]
        files = [str(path) for path in paths]
        from dubbing.cli.statuses import records  # noqa: PLC0415 - it imports the client

        print_json({**records(client, [status])[0], "files": files, "cautions": told})
    else:
        echo(describe(status))
        for path in paths:
            echo(f"{path}  {path.stat().st_size:,} bytes")
    sys.exit(tell(on_done, client, status, paths) or of_jobs([status]))


def _dub(reading: Reading, out: Path) -> tuple[Client, Status, list[Path], list[Caution]]:
    """Dub one job; return its client, its last status, the files written and the cautions."""
    settings, job = Settings(), reading.jobs[0]
    System(settings).add_endpoints()
    with Stack(settings, _engines(job, settings)) as stack, stopping():
        from dubbing.client import Client  # noqa: PLC0415 - the workers start meanwhile

        client = Client.connect(settings)
        submission = client.submit(job)
        # Started only now, so that the first line does not wait for it.
        stack.start(Kind.ASSEMBLY)
        cautions = [*reading.cautions, *submission.cautions]
        print_cautions(cautions)
        if client.status(submission.id).state in {JobState.FAILED, JobState.CANCELLED}:
            client.retry(submission.id)
        status = show_progress(attended(_watched(client.watch(submission.id), stack)))
        # The same request may have been submitted under another file name.
        name = job.output.name
        if not status.output:
            return client, status, [], cautions
        # The file may have been dubbed before, as another job, whose output is replaced.
        paths = client.fetch(submission.id, out, name=name, replace=True)
        return client, status, paths, cautions


def _engines(job: Manifest, settings: Settings) -> list[str]:
    speakers = voiced(job).speakers
    engines = (name or settings.engine for who in speakers for name in job.engines_of(who))
    return list(dict.fromkeys(engines))


def _watched(statuses: Iterator[Status], stack: Stack) -> Iterator[Status]:
    """Yield the statuses; raise when a process of the stack has ended, or cannot load an engine."""
    for status in statuses:
        stack.check()
        for engine, why in status.unable.items():
            raise EngineFailed(f"{why}; see {stack.log_path(engine)}")
        # Workers that are not there yet are starting: `check` tells when one has ended.
        yield status.model_copy(update={"lacks": ()})
