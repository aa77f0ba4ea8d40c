"""Commands that bring processes of their own: `run`, `up` and `flower`."""

from __future__ import annotations

import ipaddress
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import click

from dubbing.cli.options import job_options, load_jobs
from dubbing.cli.output import (
    describe,
    exit_code,
    json_option,
    print_cautions,
    print_json,
    show_progress,
)
from dubbing.errors import BadInput, DubbingError
from dubbing.job import Job
from dubbing.local import Stack
from dubbing.plan import Kind
from dubbing.settings import Settings
from dubbing.status import Status


@click.command()
@click.argument("script", type=click.Path(path_type=Path))
@job_options
@click.option(
    "--out", default="out", show_default=True, type=click.Path(path_type=Path, file_okay=False)
)
@json_option
def run(script: Path, out: Path, as_json: bool, **options: Any) -> None:
    """Dub SCRIPT here and now, with a Redis and workers of our own.

    Ctrl-C stops everything; the same command goes on where it stopped.
    """
    jobs = load_jobs((script,), options)
    if len(jobs) != 1:
        raise BadInput("`run` dubs one script; `up` and `submit` dub many", where=str(script))
    settings = Settings()
    with _terminable(), Stack(settings, [*_engines(jobs[0], settings), Kind.ASSEMBLY]) as stack:
        from dubbing.client import Client  # noqa: PLC0415 - the workers start meanwhile

        client = Client.connect(settings)
        submission = client.submit(jobs[0])
        print_cautions(submission.cautions)
        status = show_progress(_watched(client.watch(submission.id), stack))
        paths = client.fetch(submission.id, out) if status.output else []
    if as_json:
        print_json({**status.model_dump(mode="json"), "files": [str(path) for path in paths]})
    else:
        click.echo(describe(status))
        for path in paths:
            click.echo(f"{path}  {path.stat().st_size:,} bytes")
    sys.exit(exit_code([status]))


@click.command()
@click.argument("engines", nargs=-1)
def up(engines: tuple[str, ...]) -> None:
    """Keep a Redis and workers for ENGINES up until Ctrl-C; submit in another terminal."""
    settings = Settings()
    names = list(dict.fromkeys(engines or (settings.engine,)))
    with _terminable(), Stack(settings, [*names, Kind.ASSEMBLY]) as stack:
        click.echo(f"up: {', '.join(names)}; logs in {stack.log_path('')}; Ctrl-C stops it")
        while True:
            stack.check()
            time.sleep(0.5)


@click.command()
@click.option("--address", default="127.0.0.1", show_default=True)
@click.option("--port", default=5555, show_default=True, type=click.IntRange(1, 65535))
def flower(address: str, port: int) -> None:
    """Watch workers, queues and batches in a browser."""
    settings = Settings()
    password = settings.flower_basic_auth
    if password is None and not _is_loopback(address):
        raise BadInput(
            "Flower can stop workers and send tasks: set DUBBING_FLOWER_BASIC_AUTH=user:password "
            "before it listens on an address that others reach",
            where=f"--address {address}",
        )
    if password:
        os.environ["FLOWER_BASIC_AUTH"] = password.get_secret_value()
    from dubbing.queue import start_flower  # noqa: PLC0415 - Celery is only needed from here on

    start_flower(settings.redis, address, port)


def _engines(job: Job, settings: Settings) -> list[str]:
    speakers = dict.fromkeys(segment.speaker for segment in job.segments)
    return list(dict.fromkeys(job.engine_of(speaker) or settings.engine for speaker in speakers))


def _watched(statuses: Iterator[Status], stack: Stack) -> Iterator[Status]:
    """Pass on statuses; raise when a process of the stack has ended."""
    for status in statuses:
        stack.check()
        yield status


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


class TerminatedError(DubbingError):
    """The process was told to end."""

    code = "terminated"


class _terminable:  # noqa: N801 - used as a function
    """Make SIGTERM unwind the stack as Ctrl-C does."""

    def __enter__(self) -> None:
        signal.signal(signal.SIGTERM, self._raise)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    @staticmethod
    def _raise(number: int, frame: FrameType | None) -> None:
        raise TerminatedError("stopped; the same command goes on where it stopped")
