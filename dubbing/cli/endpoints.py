"""`dubbing endpoints`: the servers of remote engines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click

from dubbing.cli.exit_codes import FAILED
from dubbing.cli.group import Group
from dubbing.cli.output import echo, json_option, print_json, print_table
from dubbing.engines.remote.pool import Pool, month_of
from dubbing.engines.remote.price import Money
from dubbing.errors import BadInput
from dubbing.jobs.costs import Account, summed
from dubbing.system import System


@click.group(cls=Group, invoke_without_command=True)
@json_option
@click.pass_context
def endpoints(context: click.Context, as_json: bool) -> None:
    """List the servers of remote engines."""
    if context.invoked_subcommand:
        return
    pools = System().registry.all()
    if as_json:
        print_json({name: pool.model_dump(mode="json") for name, pool in pools.items()})
        return
    rows = (
        (name, one.url, one.slots, pool.model or "-", one.price or "-", _state(one.draining))
        for name, pool in pools.items()
        for one in pool.endpoints
    )
    print_table(("engine", "endpoint", "slots", "model", "price", ""), rows)


@endpoints.command()
@click.argument("engine")
@click.argument("url")
@click.option("--model", help="Name of the model, if the server has several.")
@click.option("--revision", help="Distinguishes two versions of a model with one name.")
@click.option(
    "--voice", "voices", multiple=True, help="Voice that the server does not list; may be repeated."
)
@click.option(
    "--language",
    "languages",
    multiple=True,
    help="Language of the server, such as de; may be repeated.",
)
@click.option(
    "--field", "fields", multiple=True, metavar="NAME=VALUE", help="Sent with each line, as JSON."
)
@click.option(
    "--language-field",
    "language_fields",
    nargs=2,
    multiple=True,
    metavar="TAG NAME=VALUE",
    help="Field to send with each line of a language, beside --field.",
)
@click.option(
    "--slots",
    type=click.IntRange(min=1),
    default=1,
    help="Most simultaneous lines, over all workers.",
)
@click.option("--clones", is_flag=True, help="The server clones a reference: it takes ref_audio.")
@click.option("--transcripts", is_flag=True, help="The server needs a reference's transcript.")
@click.option(
    "--rate", type=click.IntRange(min=1), help="Sample rate of answers that state none, in Hz."
)
@click.option("--references", metavar="FOLDER", help="Folder that the server shares with workers.")
@click.option(
    "--key-from", default="", metavar="VARIABLE", help="Workers' variable that holds the API key."
)
@click.option("--price", metavar="PRICE", help="Price, such as '1.98 CNY/h' or '90 USD/month'.")
@json_option
def add(
    engine: str,
    url: str,
    model: str | None,
    revision: str | None,
    voices: tuple[str, ...],
    languages: tuple[str, ...],
    fields: tuple[str, ...],
    language_fields: tuple[tuple[str, str], ...],
    slots: int,
    clones: bool,
    transcripts: bool,
    rate: int | None,
    references: str | None,
    key_from: str,
    price: str | None,
    as_json: bool,
) -> None:
    """Add the server at URL to ENGINE, or change its options.

    ENGINE is a remote engine, or a new instance of one, such as openai-kokoro. URL is the root of
    the server; for openai, the address before /audio/speech, which usually ends in /v1.
    """
    declared: dict[str, Any] = {
        "model": model,
        "revision": revision,
        "voices": voices,
        "languages": languages,
        "clones": clones,
        "transcripts": transcripts,
        "rate": rate,
        "references": references,
        "fields": dict(map(_field, fields)),
        "language_fields": _by_language(language_fields),
    }
    server = {"url": url, "slots": slots, "key_from": key_from, "price": price}
    pool = System().registry.add(engine, server, declared)
    _print(engine, pool, as_json)


@endpoints.command()
@click.argument("engine")
@click.argument("amount", required=False)
@json_option
def cap(engine: str, amount: str | None, as_json: bool) -> None:
    """Limit the costs of ENGINE in a calendar month to AMOUNT.

    AMOUNT is such as '200 CNY'; `none` removes the cap. Without AMOUNT, shows the cap and the costs
    of this month.
    """
    system = System()
    registry = system.registry
    if amount:
        registry.cap(engine, None if amount == "none" else amount)
    pool, month = registry.pools.get(engine), month_of(datetime.now(UTC))
    spent = None
    if pool.cap:
        account = Account(engine, month, pool.cap.currency)
        spent = Money(amount=summed(system.storage, account), currency=pool.cap.currency)
    if as_json:
        fields = {"cap": pool.cap, "spent": spent}
        money = {name: value and value.model_dump() for name, value in fields.items()}
        print_json({"engine": engine, "month": month, **money})
    else:
        words = f"at most {pool.cap} a month, {spent} in {month} so far"
        echo(f"{engine}: {words if spent else 'no cap'}")


@endpoints.command()
@click.argument("engine", required=False)
@json_option
def check(engine: str | None, as_json: bool) -> None:
    """Check the servers of ENGINE, or all servers; exit with 1 if one cannot be used."""
    checks = list(System().registry.check(engine))
    if as_json:
        print_json([{"engine": c.engine, "url": c.endpoint.url, "error": c.error} for c in checks])
    else:
        for one in checks:
            echo(f"{one.engine} {one.endpoint.url}: {one.error or 'ok'}")
    sys.exit(FAILED if any(one.error for one in checks) else 0)


@endpoints.command()
@click.argument("engine")
@click.argument("url")
@click.option("--back", is_flag=True, help="Send it lines again.")
@json_option
def drain(engine: str, url: str, back: bool, as_json: bool) -> None:
    """Send the server at URL no more lines; workers notice within seconds."""
    _print(engine, System().registry.drain(engine, url, draining=not back), as_json)


@endpoints.command()
@click.argument("engine")
@click.argument("url")
@json_option
def remove(engine: str, url: str, as_json: bool) -> None:
    """Remove the server at URL; workers still take the lines that it has begun."""
    _print(engine, System().registry.remove(engine, url), as_json)


def _print(engine: str, pool: Pool, as_json: bool) -> None:
    if as_json:
        print_json(pool.model_dump(mode="json"))
        return
    clones = ", clones" if pool.clones else ""
    echo(f"{engine}: model {pool.model or 'default'}, {_some(pool.voices)}{clones}")
    for one in pool.endpoints:
        price = f", {one.price}" if one.price else ""
        echo(f"  {one.url}, {one.slots} at once{price}{_state(one.draining, ', ')}")


def _some(voices: Iterable[str]) -> str:
    names = list(voices)
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"voices {', '.join(names[:5])}{more}" if names else "no voices"


def _state(draining: bool, before: str = "") -> str:
    return f"{before}draining" if draining else ""


def _by_language(given: Iterable[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Return fields by language from pairs of a tag and ``name=value``."""
    found: dict[str, dict[str, Any]] = {}
    for tag, text in given:
        name, value = _field(text)
        found.setdefault(tag, {})[name] = value
    return found


def _field(text: str) -> tuple[str, Any]:
    """Return a field from ``name=value``; a value that is no JSON is a string."""
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise BadInput("write it as NAME=VALUE", where=f"--field {text}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
