"""What commands print, and how they fail."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dubbing.check import Caution
from dubbing.errors import BadInput, Conflict, DubbingError, EngineMissing, NotFound
from dubbing.job import JobState
from dubbing.status import Status

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def fail(exc: DubbingError, *, as_json: bool) -> NoReturn:
    """Print an error without a traceback and exit: 2 when the caller must change something."""
    callers = isinstance(exc, BadInput | Conflict | NotFound | EngineMissing)
    if as_json:
        print_json({"error": exc.to_record()})
    else:
        click.echo(f"error: {exc}", err=True)
    sys.exit(BAD_INPUT if callers else FAILED)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows: a table on a terminal, tab-separated lines elsewhere."""
    console = Console()
    if not console.is_terminal:
        for row in rows:
            click.echo("\t".join(str(cell) for cell in row))
        return
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console.print(table)


def print_cautions(cautions: Iterable[Caution]) -> None:
    """Print what may not come out as meant, to standard error."""
    for caution in cautions:
        click.echo(f"warning: {caution.message}", err=True)


def describe(status: Status) -> str:
    """Return a job's status in one line."""
    words = f"{status.id}: {status.state.value}, {status.done} of {status.lines} lines"
    if status.failed:
        words += f", {status.failed} failed"
    if status.error:
        words += f": {status.error['message']}"
    return words


def show_progress(statuses: Iterator[Status]) -> Status:
    """Show a job until it has ended and return its last status.

    A progress bar on a terminal, one line a change of state elsewhere; all on standard error.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        return _plain_progress(statuses)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("queued", total=None)
        for status in statuses:
            words = f"{status.id} {status.state.value}"
            progress.update(bar, description=words, completed=status.done, total=status.lines)
    return status


def _plain_progress(statuses: Iterator[Status]) -> Status:
    state: JobState | None = None
    for status in statuses:
        if status.state is not state:
            click.echo(describe(status), err=True)
        state = status.state
    return status


def exit_code(statuses: Iterable[Status]) -> int:
    """Return 1 when any of the ended jobs is not completed."""
    return DONE if all(s.state is JobState.COMPLETED for s in statuses) else FAILED
