"""`dubbing workers`: list the workers, load and unload their engines, and end them."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Mapping

import click

from dubbing.cli.exit_codes import DONE, FAILED
from dubbing.cli.group import Group
from dubbing.cli.output import counted, echo, json_option, print_json, print_table, warn
from dubbing.client import Client
from dubbing.engines.holding import Holding
from dubbing.errors import NotFound
from dubbing.ledger import WorkerRecord, WorkerState
from dubbing.planning.plan import engine_of
from dubbing.queue.fleet import Order

WELL = frozenset({WorkerState.READY, WorkerState.BUSY, WorkerState.STANDBY})
"""States in which a worker works as ordered."""


@click.group(cls=Group, invoke_without_command=True)
@json_option
@click.pass_context
def workers(context: click.Context, as_json: bool) -> None:
    """List the workers and the length of each queue, or control a worker."""
    if context.invoked_subcommand:
        return
    client = Client.connect()
    found = client.fleet.all_workers()
    if as_json:
        records = [worker.model_dump(mode="json") for worker in found]
        print_json({"workers": records, "queues": client.fleet.depths()})
        return
    print_table(("worker", "state", "slots", "up", "loaded", "takes from"), map(_row, found))
    for worker in found:
        for error in worker.errors:
            echo(f"{worker.name}: {error}", err=True)
    if not any(worker.online for worker in found):
        echo("no worker is online", err=True)
    _print_unattended(client.fleet.unattended(found))


@workers.command()
@click.argument("worker")
@click.argument("engine", default="")
def load(worker: str, engine: str) -> None:
    """Load ENGINE, or all engines, in WORKER, and take work for it."""
    _steer(worker, Order.LOAD, engine)


@workers.command()
@click.argument("worker")
@click.argument("engine")
def unload(worker: str, engine: str) -> None:
    """Unload ENGINE from WORKER, which takes no more work for it."""
    _steer(worker, Order.UNLOAD, engine)


@workers.command()
@click.argument("worker")
def standby(worker: str) -> None:
    """Unload all engines of WORKER, which then waits for `load`."""
    _steer(worker, Order.STANDBY)


@workers.command()
@click.argument("worker")
def drain(worker: str) -> None:
    """End WORKER after its current work."""
    _steer(worker, Order.DRAIN)


@workers.command()
def health() -> None:
    """Check that this machine's worker takes work: exit code 0, or 1 if it does not.

    For health checks of containers. Of several workers, checks the last one started.
    """
    host = f"@{socket.gethostname()}"
    here = [one for one in Client.connect().fleet.workers() if one.name.endswith(host)]
    if not here:
        raise NotFound(f"Redis knows no worker of this machine ({host})")
    newest = max(here, key=lambda worker: worker.since)
    echo(f"{newest.name}: {newest.state.value}")
    sys.exit(DONE if newest.online and newest.state in WELL else FAILED)


def _steer(worker: str, order: Order, engine: str = "") -> None:
    holding = Client.connect().fleet.steer(worker, order, engine)
    echo("the worker is ending" if order is Order.DRAIN else _held(holding))


def _held(holding: Holding) -> str:
    loaded = " ".join(holding.loaded) or "nothing"
    return f"{loaded} (loading {holding.loading})" if holding.loading else loaded


def _print_unattended(depths: Mapping[str, int]) -> None:
    """Warn on standard error of queues with messages but without a worker."""
    for queue, depth in depths.items():
        warn(
            f"{queue} holds {counted(depth, 'message')}, and no worker is online: "
            f"start `dubbing worker {engine_of(queue)}`"
        )


def _row(worker: WorkerRecord) -> tuple[str, ...]:
    up = f"{time.time() - worker.since:.0f} s"
    return (
        worker.name,
        worker.state.value,
        str(worker.slots),
        up if worker.online else "",
        _held(worker.holding),
        " ".join(worker.queues),
    )
