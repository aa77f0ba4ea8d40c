"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from dubbing.documents import is_identifier
from dubbing.errors import BadInput
from dubbing.job import DEFAULT_TENANT
from dubbing.storage.folder import hindrance

Command = TypeVar("Command", bound=Callable[..., Any])
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def past(value: str, option: str = "--since") -> datetime:
    """Parse a time: an age such as ``2h``, or a date, which is local unless it has an offset.

    Raises BadParameter with examples of both.
    """
    try:
        if ago := re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", value.strip()):
            return datetime.now().astimezone() - timedelta(**{UNITS[ago[2]]: float(ago[1])})
        return datetime.fromisoformat(value.strip()).astimezone()
    except (ValueError, OverflowError) as exc:
        example = "write 90m, 2h, 3d, 1w, 2026-03-01 or 2026-03-01T18:30"
        words = f"{value!r} is not a time: {example}"
        raise click.BadParameter(words, param_hint=f"'{option}'") from exc


def deadline_option(command: Command) -> Command:
    """Add the option for the time to finish all work; the command gets seconds."""
    return click.option(
        "--deadline",
        default="1h",
        show_default=True,
        metavar="TIME",
        callback=_seconds,
        help="Time to finish all work: 30m, 2h or 1d.",
    )(command)


def _seconds(context: click.Context, option: click.Parameter, value: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([mhd])", value.strip())
    if not found or float(found[1]) == 0:
        raise click.BadParameter(f"{value!r} is not a time: write 30m, 2h or 1d")
    return timedelta(**{UNITS[found[2]]: float(found[1])}).total_seconds()


def collection_option(words: str) -> Callable[[Command], Command]:
    """Return the option that names a collection of jobs; ``--batch-name`` is its older name."""
    return click.option("--collection", "--batch-name", "collection", metavar="NAME", help=words)


def tenant_option(words: str) -> Callable[[Command], Command]:
    """Return the option that names a tenant, by default the default one."""
    return click.option(
        "--tenant", default=DEFAULT_TENANT, show_default=True, callback=_tenant, help=words
    )


def _tenant(context: click.Context, option: click.Parameter, tenant: str) -> str:
    if not is_identifier(tenant):
        raise click.BadParameter("use up to 100 letters, digits, dots, hyphens and underscores")
    return tenant


def check_out(folder: Path) -> None:
    """Raise BadInput unless files can be written into a folder, which need not exist yet.

    Commands call it before the work begins, so that no work is in vain.
    """
    if why := hindrance(folder):
        raise BadInput(f"nothing can be written there: {why.strerror}", where=f"--out {folder}")
