"""`dubbing scale-hint`: how many workers each engine needs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import click

from dubbing.cli.options import deadline_option
from dubbing.cli.output import counted, duration, json_option, print_json, print_table
from dubbing.client import Client
from dubbing.documents import nearest
from dubbing.errors import BadInput
from dubbing.planning.plan import Kind
from dubbing.queue.scaling import Hint, scale_hints, servers


@click.command()
@click.option("--engine", help="Show only this engine, or assembly.")
@deadline_option
@json_option
def scale_hint(engine: str | None, deadline: float, as_json: bool) -> None:
    """Show how many workers each engine needs to finish its work in time.

    An engine without work needs none. For a remote engine, counts its servers.
    """
    client = Client.connect()
    specs, pools = client.specs(), client.registry.all()
    gauges, workers = client.ledger.gauges, client.fleet.workers()
    backlog, _ = gauges.backlog()
    names = {name for one in workers if one.online for name in one.engines}
    if engine:
        _check(engine, {*names, *specs, Kind.ASSEMBLY.value})
        names.add(engine)
    hints = scale_hints(gauges, backlog, workers, names, servers(specs, pools), deadline)
    if engine:
        hints = {engine: hints[engine]}
    if as_json:
        engines = {name: _record(hint) for name, hint in hints.items()}
        print_json({"deadline_seconds": deadline, "engines": engines})
        return
    columns = ("engine", "waiting", "running", "time left", "workers", "wanted")
    print_table(columns, (_row(name, hint) for name, hint in hints.items()))


def _check(engine: str, known: Collection[str]) -> None:
    """Raise BadInput for an unknown engine."""
    if engine not in known:
        raise BadInput(f"no engine has this name; {nearest(engine, sorted(known))}", where=engine)


def _record(hint: Hint) -> dict[str, Any]:
    return {**asdict(hint), "seconds_left": hint.seconds_left}


def _row(engine: str, hint: Hint) -> tuple[str, ...]:
    left = hint.seconds_left
    return (
        engine,
        str(hint.waiting),
        str(hint.running),
        "unknown" if left is None else "none" if left == 0 else duration(left),
        str(hint.workers),
        counted(hint.wanted, hint.unit.value.removesuffix("s")),
    )
