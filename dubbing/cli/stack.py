"""Commands that start processes of their own: `run`, `up` and `flower`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from dubbing.cli.addresses import is_loopback
from dubbing.cli.cautions import print_cautions
from dubbing.cli.exit_codes import of_jobs
from dubbing.cli.options import check_out, job_options, read_jobs
from dubbing.cli.output import (
    attended,
    describe,
    echo,
    json_option,
    print_json,
    show_progress,
    warn,
)
from dubbing.cli.serve import LIBRARIES, PORT
from dubbing.embedded.stack import Stack
from dubbing.errors import BadInput, EngineFailed
from dubbing.job import Caution, JobState
from dubbing.jobs.status import Status
from dubbing.planning.plan import Kind
from dubbing.script.entries import Reading
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings
from dubbing.system import System
from dubbing.text.sounds import voiced


@click.command()
@click.argument("script", type=click.Path(path_type=Path))
@job_options
@click.option(
    "--out", default="out", show_default=True, type=click.Path(path_type=Path, file_okay=False)
)
@json_option
def run(script: Path, out: Path, as_json: bool, **options: Any) -> None:
    """Dub SCRIPT at once, with a Redis and workers that this command starts.

    Ctrl-C stops everything; the same command continues where it stopped.
    """
    reading = read_jobs((script,), options)
    if len(reading.jobs) + len(reading.faults) != 1:
        raise BadInput("`run` dubs one script; `up` and `submit` dub many", where=str(script))
    if reading.faults:
        raise reading.faults[0]
    check_out(out)
    _unwind_when_terminated()
    try:
        status, paths, cautions = _dub(reading, out)
    except KeyboardInterrupt:
        echo("\nstopped; the same command continues where it stopped", err=True)
        raise
    if as_json:
        told = [caution.model_dump(mode="json") for caution in cautions]
        files = [str(path) for path in paths]
        print_json({**status.model_dump(mode="json"), "files": files, "cautions": told})
    else:
        echo(describe(status))
        for path in paths:
            echo(f"{path}  {path.stat().st_size:,} bytes")
    sys.exit(of_jobs([status]))


@click.command()
@click.argument("engines", nargs=-1)
@click.option(
    "--port",
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port of the gateway on this machine; 0: any free one.",
)
def up(engines: tuple[str, ...], port: int) -> None:
    """Run a Redis and workers for ENGINES until Ctrl-C; submit in another terminal.

    With the extra `gateway`, one is up too: `dubbing serve`.
    """
    settings = Settings()
    names = list(dict.fromkeys(engines or (settings.engine,)))
    _unwind_when_terminated()
    System(settings).add_endpoints()
    with Stack(settings, [*names, Kind.ASSEMBLY]) as stack:
        echo(f"up: {', '.join(names)}; logs in {stack.logs}; Ctrl-C stops it")
        news = _of_gateway(stack, port)
        while True:
            stack.check()
            next(news, None)
            time.sleep(0.5)


@click.command()
@click.option("--address", default="127.0.0.1", show_default=True)
@click.option("--port", default=5555, show_default=True, type=click.IntRange(1, 65535))
def flower(address: str, port: int) -> None:
    """Watch workers, queues and batches in a browser."""
    settings = Settings()
    password = settings.flower_basic_auth
    if password is None and not is_loopback(address):
        raise BadInput(
            "Flower can stop workers and send tasks: set DUBBING_FLOWER_BASIC_AUTH=user:password "
            "before it listens on an address that other machines reach",
            where=f"--address {address}",
        )
    if password:
        os.environ["FLOWER_BASIC_AUTH"] = password.get_secret_value()
    from dubbing.client import Client  # noqa: PLC0415 - Celery is only needed from here on
    from dubbing.queue import start_flower  # noqa: PLC0415 - as above

    Client.connect(settings).ledger.ping()
    start_flower(settings.redis, address, port)


def _dub(reading: Reading, out: Path) -> tuple[Status, list[Path], list[Caution]]:
    """Dub one job; return its last status, the files written and the cautions."""
    settings, job = Settings(), reading.jobs[0]
    System(settings).add_endpoints()
    with Stack(settings, _engines(job, settings)) as stack:
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
            return status, [], cautions
        # The file may have been dubbed before, as another job: that output gives way.
        paths = client.fetch(submission.id, out, name=name, replace=True)
        return status, paths, cautions


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


def _of_gateway(stack: Stack, port: int) -> Iterator[None]:
    """Start a gateway if its libraries are there; tell its address and its end at later steps."""
    if not all(map(find_spec, LIBRARIES)):
        return
    gateway = stack.serve(port)
    while not (gateway.ended or gateway.address):
        yield
    if address := gateway.address:
        echo(f"gateway: {address}")
    while not gateway.ended:
        yield
    warn(f"the gateway has ended: {stack.why_ended('gateway', gateway.process)}")


def _unwind_when_terminated() -> None:
    """Make SIGTERM end this process as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
