"""`dubbing doctor` reports what is missing; `dubbing schema` prints the schema of a manifest."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches

import click
from dotenv import dotenv_values

from dubbing.cli.exit_codes import FAILED
from dubbing.cli.output import echo, json_option, print_json
from dubbing.embedded.redis import find_redis_server, is_up
from dubbing.engines.models.inventory import Readiness, inspect
from dubbing.errors import BadInput, DubbingError, StorageUnavailable
from dubbing.media.ffmpeg import version
from dubbing.proof.words import NAME as WHISPER
from dubbing.proof.words import missing
from dubbing.script.manifest import json_schema
from dubbing.settings import Settings, temporary_folder
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.system import System
from dubbing.voices import speaker_encoder as listener

PREFIX = "DUBBING_"
ALIKE = 0.8
"""How much the name of a variable, from 0 to 1, is like that of a setting which it may mean."""
FREE_GIB = 5
"""Mixing a film's sound takes some gigabytes of temporary files."""


@dataclass(frozen=True)
class Finding:
    """The result of one check: its subject, its outcome, and the remedy."""

    what: str
    well: bool
    message: str
    needed: bool = True


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Report what is missing on this machine, and how to get it."""
    findings = list(_examine(System()))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            mark = "ok     " if finding.well else "missing" if finding.needed else "note   "
            echo(f"{mark}  {finding.what}: {finding.message}")
    sys.exit(FAILED if any(f.needed and not f.well for f in findings) else 0)


@click.command()
def schema() -> None:
    """Print the JSON Schema of a manifest."""
    print_json(json_schema())


def _examine(system: System) -> Iterator[Finding]:
    yield from _misspelled(os.environ | dotenv_values(".env"))
    yield _tried("ffmpeg", version)
    yield from _redis(system)
    yield _tried("storage", lambda: _storage(system.storage))
    for name in system.catalogue.names():
        readiness = inspect(system.catalogue, name)
        yield _engine(readiness, needed=name == system.settings.engine)
    yield _proof()
    yield _proof_of_words(system)
    yield _separation(system)
    yield _disk()


def _misspelled(variables: Iterable[str]) -> Iterator[Finding]:
    """Yield the variables that are almost those of settings, and so set nothing."""
    known = [name.upper() for name in Settings.model_fields]
    for variable in variables:
        name = variable.upper().removeprefix(PREFIX).removesuffix("_FILE")
        # A user names the variables of keys.
        if not variable.upper().startswith(PREFIX) or name in known or name.startswith("KEY_"):
            continue
        for meant in get_close_matches(name, known, n=1, cutoff=ALIKE):
            words = f"no setting has this name; did you mean {PREFIX}{meant}?"
            yield Finding(f"setting {variable}", False, words, needed=False)


def _disk() -> Finding:
    try:
        folder = temporary_folder()
    except BadInput as exc:
        return Finding("disk", False, str(exc))
    free = shutil.disk_usage(folder).free / 2**30
    words, enough = f"{free:.0f} GiB free in {folder}", free >= FREE_GIB
    if not enough:
        words += f", {FREE_GIB} wanted: set TMPDIR to another folder"
    return Finding("disk", enough, words, needed=False)


def _proof() -> Finding:
    installed = listener.available()
    words = f"reports do not say whose voice a line sounds like: {listener.INSTALL}"
    return Finding("proof of voice", installed, "installed" if installed else words, needed=False)


def _proof_of_words(system: System) -> Finding:
    if not system.settings.prove_words:
        return Finding("proof of words", True, "off, by DUBBING_PROVE_WORDS", needed=False)
    lacking = missing(system.model_folders.of(WHISPER))
    words = f"nobody checks that lines say their words: {lacking}"
    return Finding("proof of words", not lacking, words if lacking else "installed", needed=False)


def _separation(system: System) -> Finding:
    lacking = system.separator.missing()
    words = f"assembly here takes no speech out of films: {lacking}"
    return Finding("separation", not lacking, words if lacking else "installed", needed=False)


def _engine(readiness: Readiness, *, needed: bool) -> Finding:
    words = "; ".join(readiness.problems.values()) or readiness.words
    return Finding(f"engine {readiness.spec.name}", not readiness.problems, words, needed)


def _tried(what: str, check: Callable[[], str], *, needed: bool = True) -> Finding:
    try:
        return Finding(what, True, check(), needed)
    except DubbingError as exc:
        return Finding(what, False, str(exc), needed)


def _redis(system: System) -> Iterator[Finding]:
    if not system.settings.redis_url and not is_up(system.settings):
        yield _tried("Redis", lambda: f"`dubbing run` and `up` start {find_redis_server()}")
        return
    try:
        system.ledger.greet()
        caution = system.ledger.check_writable(consume=True)
    except DubbingError as exc:
        yield Finding("Redis", False, str(exc))
        return
    yield Finding("Redis", True, "answers")
    if caution:
        yield Finding("Redis's memory", False, caution)


def _storage(storage: Storage) -> str:
    storage.greet()
    storage.check_writable()
    storage.delete(Keys.DOCTOR)
    if not storage.create(Keys.DOCTOR, b"") or storage.create(Keys.DOCTOR, b""):
        raise StorageUnavailable(
            f"{storage.url} ignores If-None-Match, so one job could be stored with two ends"
        )
    storage.delete(Keys.DOCTOR)
    return f"{storage.url} can be written, and refuses to overwrite"
