"""`dubbing gc` and `dubbing usage`: garbage collection, and the usage of tenants."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from dubbing.cli.options import collection_option
from dubbing.cli.output import counted, echo, json_option, print_json, print_table
from dubbing.engines.remote.pool import month_of
from dubbing.errors import WrongInstallation
from dubbing.storage import Keys
from dubbing.system import System

LOWEST_PRIORITY = 19
"""Niceness of a collection: jobs on this machine go first."""
SIZES = ("bytes", "kB", "MB", "GB", "TB")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
@json_option
def gc(dry_run: bool, as_json: bool) -> None:
    """Remove objects that nothing needs any more, or that DUBBING_RETENTION does not keep.

    Run it about once a day; jobs continue meanwhile.
    """
    from dubbing.retention.collect import collect  # noqa: PLC0415 - it loads numpy
    from dubbing.retention.pace import Pace  # noqa: PLC0415
    from dubbing.retention.rules import Rules  # noqa: PLC0415

    os.nice(LOWEST_PRIORITY)
    system = System()
    rules = Rules.read(system.settings.retention)
    system.storage.greet()
    if not system.storage.exists(Keys.INSTALLATION):
        raise WrongInstallation(
            f"{system.storage.url} is no storage of an installation: check DUBBING_STORAGE_URL"
        )
    found = collect(system.storage, rules, dry=dry_run, rest=Pace().rest)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    rows = [
        (one.kind.value, one.tenant, f"{one.objects:,}", size(one.bytes)) for one in found.removed
    ]
    print_table(("kind", "tenant", "objects", "size"), rows)
    objects = counted(sum(one.objects for one in found.removed), "object")
    total = size(sum(one.bytes for one in found.removed))
    echo(f"{objects} of {total} {'would be' if dry_run else 'were'} removed")


@click.command()
@click.option("--tenant", help="Only this tenant.")
@collection_option("Only this collection.")
@click.option(
    "--month", metavar="YYYY-MM", help="Month of seconds, lines and costs; by default, this month."
)
@json_option
def usage(tenant: str | None, collection: str | None, month: str | None, as_json: bool) -> None:
    """Show what tenants and collections use: storage now, engines and costs in a month."""
    from dubbing.usage import usage as used  # noqa: PLC0415 - other commands do without it

    system = System()
    system.storage.greet()
    found = [
        one
        for one in used(system.storage, _month(month))
        if tenant in {None, one.tenant} and collection in {None, one.collection}
    ]
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = [
        (
            *(one.tenant, one.collection or "-", size(one.storage_bytes), f"{one.lines:,}"),
            f"{one.engine_seconds:,.0f}",
            ", ".join(f"{amount:,.2f} {currency}" for currency, amount in one.costs.items()) or "-",
        )
        for one in found
    ]
    print_table(("tenant", "collection", "storage", "lines", "engine seconds", "costs"), rows)


def size(number: int) -> str:
    """Return a number of bytes in words."""
    amount, unit = float(number), 0
    while amount >= 1000 and unit < len(SIZES) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.3g} {SIZES[unit]}"


def _month(value: str | None) -> str:
    """Return a month as `month_of` names it; raises BadParameter."""
    if value is None:
        return month_of(datetime.now(UTC))
    try:
        return month_of(datetime.strptime(value, "%Y-%m").replace(tzinfo=UTC))
    except ValueError as exc:
        words = f"{value!r} is not a month: write 2026-11"
        raise click.BadParameter(words, param_hint="'--month'") from exc
