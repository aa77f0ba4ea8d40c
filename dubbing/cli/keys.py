"""`dubbing keys`: the API keys of the gateway."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from dubbing.cli.group import Group
from dubbing.cli.options import tenant_option
from dubbing.cli.output import echo, json_option, print_json, print_table
from dubbing.keyring import USUAL, ApiKey, Keyring, Scope
from dubbing.system import System


@click.group(cls=Group, invoke_without_command=True)
@json_option
@click.pass_context
def keys(context: click.Context, as_json: bool) -> None:
    """List the API keys of the gateway."""
    if context.invoked_subcommand:
        return
    uses = Keyring(System().storage).all()
    if as_json:
        print_json([{**_shown(use.key), "used": use.used} for use in uses])
        return
    rows = (
        (
            *(use.key.id, use.key.name, use.key.tenant, " ".join(use.key.scopes)),
            *(_day(use.key.created), _day(use.used) if use.used else "never"),
        )
        for use in uses
    )
    print_table(("id", "name", "tenant", "scopes", "made", "last used"), rows)


@keys.command()
@tenant_option("Tenant of the key.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    default=tuple(scope.value for scope in USUAL),
    show_default=True,
    help="Right of the key; may be repeated.",
)
@click.option("--name", default="", help="Holder or purpose.")
@click.option(
    "--grant",
    "granted",
    multiple=True,
    metavar="S3URL",
    help="Place that the key's jobs may read from and write to, such as "
    "s3://films/acme; may be repeated.",
)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(min=1),
    help="Limit of requests a minute; by default, none.",
)
@json_option
def add(
    tenant: str,
    scopes: tuple[str, ...],
    name: str,
    granted: tuple[str, ...],
    requests_per_minute: int | None,
    as_json: bool,
) -> None:
    """Make a key and print it; it cannot be shown again."""
    key, text = Keyring(System().storage).make(
        tenant,
        [Scope(scope) for scope in scopes],
        name=name,
        granted=granted,
        requests_per_minute=requests_per_minute,
    )
    if as_json:
        print_json({**_shown(key), "key": text})
    else:
        echo(text)


@keys.command()
@click.argument("id")
def revoke(id: str) -> None:
    """Revoke the key ID; gateways refuse it within seconds."""
    key = Keyring(System().storage).revoke(id)
    echo(f"revoked {key.id} of {key.tenant}{f' ({key.name})' if key.name else ''}")


def _shown(key: ApiKey) -> dict[str, Any]:
    return key.model_dump(mode="json", exclude={"digest", "format"})


def _day(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")
