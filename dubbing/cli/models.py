"""`dubbing models`: what engines need to speak, what of it is there, and getting it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from dubbing.catalogue import Catalogue
from dubbing.cli.output import FAILED, json_option, print_json, print_table
from dubbing.errors import BadInput
from dubbing.hub import fetch as fetch_model
from dubbing.models import Checked, Standing, check_model, look
from dubbing.residency import device_of
from dubbing.settings import Settings
from dubbing.weights import Weights


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """Say which models are there, and where to get the others."""
    if context.invoked_subcommand:
        return
    catalogue = Catalogue.of(Settings())
    found = [look(catalogue, name) for name in catalogue.names()]
    needing = [(standing, standing.weights) for standing in found if standing.weights]
    if as_json:
        print_json([_record(*each) for each in needing])
        return
    columns = ("model", "", "size", "licence", "its authors publish it at", "folder")
    print_table(columns, (_row(*each) for each in needing))
    for standing, _ in needing:
        for problem in standing.problems.values():
            click.echo(f"{standing.spec.name}: {problem}", err=True)


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@json_option
def check(names: tuple[str, ...], as_json: bool) -> None:
    """Load models to see whether they can be; exit 1 when one cannot.

    Left out NAME, all that are there. Each is loaded in a process of its own.
    """
    settings = Settings()
    checked = []
    for each in _checked(settings, names):
        checked.append(each)
        if not as_json:
            outcome = each.error or f"ok, {each.seconds:.1f} s, {each.model[:12]}"
            click.echo(f"{each.name}: {outcome}")
    if as_json:
        print_json([asdict(each) for each in checked])
    elif not checked:
        click.echo(f"there is no model in {settings.folders.root}")
    sys.exit(FAILED if any(each.error for each in checked) else 0)


@models.command()
@click.argument("name")
@click.option("--revision", default="main", help="Branch, tag or commit; left out, the newest.")
@json_option
def fetch(name: str, revision: str, as_json: bool) -> None:
    """Get a model from the Hugging Face hub, or from the mirror that is set.

    NAME is an engine, or an instance of it that is made by this, such as xtts-b. A download that
    breaks off leaves nothing in the model's place; the next one goes on with it.
    """
    settings = Settings()
    catalogue = Catalogue.of(settings)
    standing = look(catalogue, name)
    if standing.weights is None:
        raise BadInput(f"engine {name!r} needs no model")
    catalogue.permit([standing.spec])
    click.echo(f"{name}: licence {standing.spec.licence}, see {standing.weights.home}", err=True)
    fetched = fetch_model(
        standing.weights,
        standing.folder,
        endpoint=settings.hub_endpoint,
        revision=revision,
        progress=sys.stderr.isatty() and not as_json,
    )
    if as_json:
        print_json({**asdict(fetched), "folder": str(fetched.folder)})
        return
    click.echo(f"{fetched.folder}: {_size(fetched.size)}, commit {fetched.commit}")
    click.echo(f"`dubbing models check {name}` loads it")


def _checked(settings: Settings, names: Sequence[str]) -> Iterator[Checked]:
    catalogue = Catalogue.of(settings)
    for name in names or catalogue.names():
        standing = look(catalogue, name)
        if names:
            catalogue.permit([standing.spec])
        if names or standing.has_model:
            yield check_model(settings.folders, name, device_of(standing.spec, settings.device))


def _record(standing: Standing, weights: Weights) -> dict[str, Any]:
    return {
        "name": standing.spec.name,
        "state": standing.state.value,
        "problems": standing.problems,
        "folder": str(standing.folder),
        "size": standing.size,
        "files": weights.files,
        "licence": standing.spec.licence,
        "home": weights.home,
        "repository": weights.repository,
        "extra": standing.extra,
    }


def _row(standing: Standing, weights: Weights) -> tuple[str, ...]:
    spec, size = standing.spec, _size(standing.size) if standing.size else "-"
    return (spec.name, standing.words, size, spec.licence, weights.home, str(standing.folder))


def _size(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else f"{size / 2**10:.0f} KiB"
