"""`dubbing doctor`: what is missing and how to get it; `dubbing schema`: what a manifest is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import click
import imageio_ffmpeg

from dubbing.cli.output import FAILED, json_option, print_json
from dubbing.engine import Catalogue, require
from dubbing.errors import DubbingError
from dubbing.job import json_schema
from dubbing.ledger import Ledger
from dubbing.local import find_redis_server, is_up
from dubbing.settings import Settings
from dubbing.storage import Storage

FREE_GIB = 5
"""A film's sound takes some gigabytes while it is mixed."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, and what to do when it is not well."""

    what: str
    well: bool
    message: str
    needed: bool = True


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say what is missing on this machine, and how to get it."""
    findings = list(_examine(Settings()))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            mark = "ok     " if finding.well else "missing" if finding.needed else "note   "
            click.echo(f"{mark}  {finding.what}: {finding.message}")
    sys.exit(FAILED if any(f.needed and not f.well for f in findings) else 0)


@click.command()
def schema() -> None:
    """Print the JSON Schema of a manifest."""
    print_json(json_schema())


def _examine(settings: Settings) -> Iterator[Finding]:
    yield _tried("ffmpeg", _ffmpeg)
    yield _redis(settings)
    yield _tried("storage", lambda: _storage(settings))
    catalogue = Catalogue()
    for name in catalogue.names():
        engine = catalogue.create(name)
        wanted = name == settings.engine

        def check(engine=engine) -> str:  # type: ignore[no-untyped-def]
            require(engine)
            return "installed"

        yield _tried(f"engine {name}", check, needed=wanted)
    free = shutil.disk_usage(settings.home if settings.home.exists() else "/").free / 2**30
    yield Finding("disk", free >= FREE_GIB, f"{free:.0f} GiB free; {FREE_GIB} are wanted", False)


def _tried(what: str, check: Callable[[], str], *, needed: bool = True) -> Finding:
    try:
        return Finding(what, True, check(), needed)
    except DubbingError as exc:
        return Finding(what, False, str(exc), needed)


def _ffmpeg() -> str:
    answer = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-version"], capture_output=True, text=True, check=False
    )
    return (
        answer.stdout.splitlines()[0]
        if answer.stdout
        else f"{imageio_ffmpeg.get_ffmpeg_exe()} does not start"
    )


def _redis(settings: Settings) -> Finding:
    if settings.redis_url or is_up(settings):

        def ping() -> str:
            Ledger(settings.redis).ping()
            return "answers"

        return _tried("Redis", ping)
    return _tried("Redis", lambda: f"`dubbing run` and `up` start {find_redis_server()}")


def _storage(settings: Settings) -> str:
    storage = Storage.at(settings.storage, settings.s3)
    storage.replace("doctor", b"well")
    storage.delete("doctor")
    return f"{storage.url} can be written"
