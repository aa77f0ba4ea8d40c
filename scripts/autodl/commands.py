"""The commands of scripts/autodl/cards."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click

from autodl.api import HOST, KEPT, TOKEN, AutoDL
from autodl.book import Book
from autodl.elastic import Deployment
from autodl.fleet import Fleet, Standing
from autodl.serving import Patience, Serving
from dubbing.cli.exit_codes import FAILED, INTERRUPTED
from dubbing.cli.failure import report
from dubbing.cli.group import Group
from dubbing.cli.output import echo, json_option, print_json, print_table, warn
from dubbing.errors import BadInput
from dubbing.settings import Settings
from dubbing.system import System

BOOK = "autodl.json"
"""The book's name in the home of the settings."""
HOST_VARIABLE = "AUTODL_API"
"""The variable that names a stand-in for AutoDL's host."""
COLUMNS = ("instance", "state", "engine", "address", "price", "")

engine_argument = click.argument("engine")
slots_option = click.option(
    "--slots", type=click.IntRange(min=1), help="Simultaneous lines; by default 1."
)
key_option = click.option(
    "--key-from", metavar="VARIABLE", help="Variable that holds the card's API key."
)
path_option = click.option("--path", help="Path of its address, such as /v1.")
wait_option = click.option(
    "--wait", default=1800.0, show_default=True, help="Longest wait for its answer, in seconds."
)
grace_option = click.option(
    "--grace", default=60.0, show_default=True, help="Seconds for the lines that it has begun."
)


class Home(NamedTuple):
    """The objects that the commands use."""

    api: AutoDL
    serving: Serving
    fleet: Fleet


@contextmanager
def home() -> Iterator[Home]:
    """Yield AutoDL and this installation; raises BadInput without a token."""
    system = System()
    api = AutoDL(Settings.key(TOKEN), os.environ.get(HOST_VARIABLE, HOST))
    serving = Serving(system.registry, Book(system.settings.home / BOOK), note)
    try:
        yield Home(api, serving, Fleet(api, serving, note))
    finally:
        api.close()


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
def cards() -> None:
    """Start and stop cards at AutoDL, and keep their endpoints up to date.

    The variable AUTODL_TOKEN, or a line of .env, holds the account's developer token. Only
    instances Pro have an API; instances rented on AutoDL's page do not.
    """


@cards.command()
@engine_argument
@click.argument("instance", required=False)
@click.option("--gpu", help="Specification of a new instance, such as v-48g, pro6000-p or h800.")
@click.option("--image", help="Image of a new instance.")
@click.option(
    "--cuda", default=128, show_default=True, help="Lowest CUDA version of the driver: 128 is 12.8."
)
@click.option("--region", "regions", multiple=True, help="Region, such as westDC3.")
@click.option("--start-command", help="Command that a new instance runs at each start.")
@slots_option
@key_option
@path_option
@wait_option
@click.option(
    "--tries",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Number of requests for a free card, over some ten minutes.",
)
def up(
    engine: str,
    instance: str | None,
    gpu: str | None,
    image: str | None,
    cuda: int,
    regions: tuple[str, ...],
    start_command: str | None,
    slots: int | None,
    key_from: str | None,
    path: str | None,
    wait: float,
    tries: int,
) -> None:
    """Start INSTANCE, or a new one, and add it to ENGINE once it answers.

    ENGINE is the name at home, as for `dubbing endpoints add`. Missing options keep their last
    values.
    """
    named = _named(slots=slots, key_from=key_from, path=path)
    if bool(instance) == bool(gpu and image):
        raise BadInput("name either an instance, or --gpu and --image for a new one")
    with home() as here:
        if not instance:
            order = {
                "gpu_spec_uuid": gpu,
                "image_uuid": image,
                "cuda_v_from": cuda,
                "req_gpu_amount": 1,
                "expand_system_disk_by_gb": 0,
                **_named(data_center_list=list(regions), start_command=start_command),
            }
            here.serving.require_key(key_from or "")
            instance = here.fleet.create(order, tries)
            echo(f"created {instance}")
        here.fleet.enter(instance, engine, named)
        with costs_told(instance):
            card = here.fleet.up(instance, wait, tries)
    echo(f"{instance} serves {engine} at {card.url}; `dubbing endpoints check {engine}` checks it")


@cards.command()
@click.argument("instance")
@grace_option
def down(instance: str, grace: float) -> None:
    """Send INSTANCE no more lines, remove its endpoint, and switch it off.

    It then costs nothing by the hour. After 15 days it is released, with its data disk.
    """
    with home() as here:
        released_at = here.fleet.down(instance, grace)
    echo(f"{instance} is off")
    warn(_deadline(instance, released_at))


@cards.command()
@json_option
def status(as_json: bool) -> None:
    """List the account's instances, and replace endpoints whose address has changed.

    Exits with 1 if an endpoint cannot be used.
    """
    with home() as here:
        standings = here.fleet.status()
    if as_json:
        print_json([_record(one) for one in standings])
    else:
        print_table(COLUMNS, map(_row, standings))
        for one in standings:
            if one.released_at:
                warn(_deadline(one.uuid, one.released_at))
    sys.exit(FAILED if any(one.fault for one in standings) else 0)


@cards.command()
@engine_argument
@click.argument("deployment")
@click.argument("replicas", type=click.IntRange(min=0))
@slots_option
@key_option
@path_option
@wait_option
@grace_option
def scale(
    engine: str,
    deployment: str,
    replicas: int,
    slots: int | None,
    key_from: str | None,
    path: str | None,
    wait: float,
    grace: float,
) -> None:
    """Serve ENGINE by REPLICAS containers of an elastic DEPLOYMENT.

    Unproven. It was written from AutoDL's documentation, and never ran against the service, which
    requires an account of a verified company. The deployment has to exist, and its command has to
    serve port 6006.
    """
    named = _named(slots=slots, key_from=key_from, path=path)
    with home() as here:
        of = Deployment(here.api, here.serving, deployment)
        for card in of.scale(engine, named, replicas, grace, Patience(wait, note)):
            echo(card.url)


@contextmanager
def costs_told(instance: str) -> Iterator[None]:
    """When the block fails, warn that the instance may be on and cost money."""
    try:
        yield
    except BaseException:
        warn(f"{instance} may be on, and cost money: `cards down {instance}` switches it off")
        raise


def note(words: str) -> None:
    """Print the reason of a wait."""
    echo(words, err=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the commands and exit."""
    as_json = "--json" in (sys.argv if arguments is None else arguments)
    try:
        code = cards.main(args=arguments, prog_name="cards", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception as exc:  # noqa: BLE001 - no exception leaves the command line
        code = report(exc, as_json=as_json)
    sys.exit(code)


def _named(**fields: Any) -> dict[str, Any]:
    """Return the fields that the caller has set."""
    return {name: value for name, value in fields.items() if value}


def _deadline(instance: str, released_at: datetime | None) -> str:
    """Return the release date of an instance that is off."""
    if released_at is None:
        return f"{instance} is released with its data disk after {KEPT.days} days off"
    left = (released_at - datetime.now(UTC)).days
    return f"{instance} is released with its data disk on {released_at:%F}, {left} days from now"


def _row(one: Standing) -> tuple[str, ...]:
    words = "; ".join(filter(None, (one.note, one.fault)))
    return (one.uuid, one.status, one.engine or "-", one.url or "-", one.price or "-", words or "-")


def _record(one: Standing) -> dict[str, Any]:
    released_at = one.released_at and one.released_at.isoformat()
    return {**one._asdict(), "released_at": released_at}
