"""`dubbing models`: list, check and fetch the models that engines need."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from dubbing.assembly import demucs
from dubbing.cli.exit_codes import FAILED
from dubbing.cli.group import Group
from dubbing.cli.output import echo, json_option, on_terminal, print_json, print_table
from dubbing.engines.models.folders import Weights
from dubbing.engines.models.hub import fetch as fetch_model
from dubbing.engines.models.inventory import ModelCheck, Readiness, check_model, inspect
from dubbing.engines.residency import device_of
from dubbing.errors import BadInput
from dubbing.proof import words
from dubbing.system import System

HELPERS = {
    words.NAME: (words.WEIGHTS, words.LICENCE),
    demucs.NAME: (demucs.WEIGHTS, demucs.LICENCE),
}
"""The files and licences of models that are not engines."""


@click.group(cls=Group, invoke_without_command=True)
@json_option
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models: which are installed, and where to get the others."""
    if context.invoked_subcommand:
        return
    catalogue = System().catalogue
    found = [inspect(catalogue, name) for name in catalogue.names()]
    needing = [(readiness, readiness.weights) for readiness in found if readiness.weights]
    if as_json:
        print_json([_record(*each) for each in needing])
        return
    columns = ("model", "", "size", "licence", "published at", "folder")
    print_table(columns, (_row(*each) for each in needing))
    for readiness, _ in needing:
        for problem in readiness.problems.values():
            echo(f"{readiness.spec.name}: {problem}", err=True)


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@json_option
def check(names: tuple[str, ...], as_json: bool) -> None:
    """Check that models load; exit with 1 if one does not.

    NAME is an engine, which is loaded in its own process; or whisper or demucs, whose files and
    extra are checked. Without NAME, checks every installed model of an engine.
    """
    system = System()
    checked = []
    for each in _checked(system, names):
        checked.append(each)
        if not as_json:
            outcome = each.error or f"ok, {each.seconds:.1f} s, {each.model[:12]}"
            echo(f"{each.name}: {outcome}")
    if as_json:
        print_json([asdict(each) for each in checked])
    elif not checked:
        echo(f"there is no model in {system.model_folders.root}")
    sys.exit(FAILED if any(each.error for each in checked) else 0)


@models.command()
@click.argument("name")
@click.option(
    "--revision",
    default="",
    help="Branch, tag or commit; by default, the commit that this release was made for, or else "
    "the newest.",
)
@json_option
def fetch(name: str, revision: str, as_json: bool) -> None:
    """Download a model from the Hugging Face hub, or from the configured mirror.

    NAME is an engine or a new instance of one, such as xtts-b; whisper, which proves the words of
    lines; or demucs, which removes the speech from films. An interrupted download leaves no model
    behind; the next download resumes it.
    """
    system = System()
    weights, licence = _wanted(system, name)
    echo(f"{name}: licence {licence}, see {weights.home}", err=True)
    fetched = fetch_model(
        weights,
        system.model_folders.of(name),
        endpoint=system.settings.hub_endpoint,
        revision=revision,
        progress=on_terminal() and not as_json,
    )
    if as_json:
        print_json({**asdict(fetched), "folder": str(fetched.folder)})
        return
    echo(f"{fetched.folder}: {_size(fetched.size)}, commit {fetched.commit}")
    if name not in HELPERS:
        echo(f"`dubbing models check {name}` checks that it loads")


def _wanted(system: System, name: str) -> tuple[Weights, str]:
    """Return the files of a model, and its licence; raises BadInput and EngineMissing."""
    if name in HELPERS:
        return HELPERS[name]
    readiness = inspect(system.catalogue, name)
    if readiness.weights is None:
        raise BadInput(f"engine {name!r} needs no model")
    system.catalogue.permit([readiness.spec])
    return readiness.weights, readiness.spec.licence


def _checked(system: System, names: Sequence[str]) -> Iterator[ModelCheck]:
    catalogue = system.catalogue
    for name in names or catalogue.names():
        if name in HELPERS:
            yield ModelCheck(name=name, seconds=0.0, error=_lacking(system, name))
            continue
        readiness = inspect(catalogue, name)
        if names:
            catalogue.permit([readiness.spec])
        if names or readiness.has_model:
            device = device_of(readiness.spec, system.settings.device)
            yield check_model(system.model_folders, name, device)


def _lacking(system: System, name: str) -> str:
    """Return the missing part of a helper model, with the remedy; ``""`` if it is complete."""
    if name == words.NAME:
        return words.missing(system.model_folders.of(name))
    return system.separator.missing()


def _record(readiness: Readiness, weights: Weights) -> dict[str, Any]:
    return {
        "name": readiness.spec.name,
        "state": readiness.state.value,
        "problems": readiness.problems,
        "folder": str(readiness.folder),
        "size": readiness.size,
        "files": weights.files,
        "licence": readiness.spec.licence,
        "home": weights.home,
        "repository": weights.repository,
        "extra": readiness.extra,
    }


def _row(readiness: Readiness, weights: Weights) -> tuple[str, ...]:
    spec, size = readiness.spec, _size(readiness.size) if readiness.size else "-"
    return (spec.name, readiness.words, size, spec.licence, weights.home, str(readiness.folder))


def _size(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else f"{size / 2**10:.0f} KiB"
