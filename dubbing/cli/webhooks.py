"""`dubbing webhooks`: events that webhooks did not receive, and sending them again."""

from __future__ import annotations

import click

from dubbing.cli.group import Group
from dubbing.cli.output import counted, echo, json_option, print_json, print_table
from dubbing.system import System
from dubbing.webhooks.outbox import Outbox
from dubbing.webhooks.webhook import Webhooks

tenant_option = click.option("--tenant", default="default", show_default=True)


@click.group(cls=Group)
def webhooks() -> None:
    """List the events that webhooks did not receive, and send them again."""


@webhooks.command("list")
@tenant_option
@json_option
def list_(tenant: str, as_json: bool) -> None:
    """List the webhooks of a tenant, with the number of their dead messages."""
    storage = System().storage
    found = Webhooks(storage).all(tenant)
    dead = {one.id: len(Outbox(storage).dead(tenant, one.id)) for one in found}
    if as_json:
        print_json(
            [
                {
                    **one.model_dump(mode="json", include={"id", "url", "events"}),
                    "dead": dead[one.id],
                }
                for one in found
            ]
        )
        return
    rows = ((one.id, one.url, " ".join(one.events), str(dead[one.id])) for one in found)
    print_table(("id", "url", "events", "dead"), rows)


@webhooks.command()
@click.argument("webhook")
@tenant_option
@json_option
def dead(webhook: str, tenant: str, as_json: bool) -> None:
    """List the dead messages of WEBHOOK, which failed for a day."""
    storage = System().storage
    found = Outbox(storage).dead(tenant, Webhooks(storage).find(tenant, webhook).id)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = ((one.id, one.event, one.job, str(one.tries), one.error) for one in found)
    print_table(("id", "event", "job", "tries", "error"), rows)


@webhooks.command()
@click.argument("webhook")
@click.argument("messages", nargs=-1)
@tenant_option
def resend(webhook: str, messages: tuple[str, ...], tenant: str) -> None:
    """Send dead MESSAGES of WEBHOOK again, by default all, for another day."""
    storage = System().storage
    outbox, id_ = Outbox(storage), Webhooks(storage).find(tenant, webhook).id
    names = messages or tuple(one.id for one in outbox.dead(tenant, id_))
    for name in names:
        outbox.resend(tenant, id_, name)
    echo(f"{counted(len(names), 'message')} to send again")
