"""The output of commands. No other module prints, because foreign text is escaped here.

Every process imports this module, workers too, so rich is imported only by the functions that
need it, and the client only for type checking.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dubbing.errors import DubbingError, QueueUnavailable, StorageUnavailable
from dubbing.job import JobState
from dubbing.jobs.hindrances import hindrances
from dubbing.visible import visible

if TYPE_CHECKING:
    from dubbing.jobs.status import Status

PATIENCE_SECONDS = 10.0
"""Time for which work may wait for a worker before the watcher gets a warning."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def echo(text: object, *, err: bool = False) -> None:
    """Print text, made `visible`, to standard output or standard error."""
    click.echo(visible(str(text), kept="\n\t"), err=err)


def warn(text: str) -> None:
    """Print a warning to standard error."""
    echo(f"warning: {text}", err=True)


def print_error(exc: DubbingError, *, as_json: bool) -> None:
    """Print an error without a traceback."""
    if as_json:
        print_json({"error": asdict(exc.to_record())})
    else:
        echo(f"error: {exc}", err=True)


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print one JSON document; in pure ASCII if it holds control characters."""
    document = json.dumps(value, ensure_ascii=False, indent=indent)
    if visible(document, kept="\n") != document:
        document = json.dumps(value, indent=indent)
    click.echo(document)


def on_terminal() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr.isatty()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows: a table on a terminal, tab-separated lines elsewhere."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    cells = ([visible(str(cell)) for cell in row] for row in rows)
    console = Console()
    if not console.is_terminal:
        for row in cells:
            echo("\t".join(row))
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        # URLs and paths are broken rather than cut.
        table.add_column(column, overflow="fold")
    for row in cells:
        # As Text, so that square brackets are no markup.
        table.add_row(*map(Text, row))
    console.print(table)


def print_document(markdown: str) -> None:
    """Print a document: formatted and in a pager on a terminal, and otherwise unchanged."""
    if not sys.stdout.isatty():
        echo(markdown.rstrip("\n"))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.markdown import Markdown  # noqa: PLC0415

    console = Console()
    with console.capture() as laid_out:
        console.print(Markdown(markdown))
    click.echo_via_pager(laid_out.get(), color=True)


def describe(status: Status, name: str = "") -> str:
    """Return a job's status in one line. name: the name of its files, shown unless it is the id."""
    unasked = ["Redis could not be asked"] if status.redis_away else []
    words = ", ".join([_standing(status, name), *unasked, *hindrances(status), *_costs(status)])
    if status.error:
        words += f": {status.error.message}"
    return words


def _standing(status: Status, name: str = "") -> str:
    """Return a job's progress, the work ahead of it, and its time left."""
    named = f"{status.id} ({name})" if name not in {"", status.id} else status.id
    words = f"{named}: {status.state.value}, {status.done} of {status.lines} lines"
    if status.failed:
        words += f", {status.failed} failed"
    if status.place:
        words += f", {counted(status.place, 'batch', 'batches')} ahead"
    if status.seconds_left is not None:
        words += f", about {duration(status.seconds_left)} left"
    return words


def _costs(status: Status) -> list[str]:
    """Return a job's use of engines with costs."""
    return [
        f"{duration(use.seconds)} of {use.engine} used for {use.money}"
        for use in status.used
        if use.money
    ]


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 line``, ``2 lines``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """Return a time in words, no more precise than the estimate."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def attended(statuses: Iterable[Status]) -> Iterator[Status]:
    """Yield a job's statuses; warn while no worker can do its work, or Redis is away."""
    look = time.monotonic() + PATIENCE_SECONDS
    unable: dict[str, str] = {}
    away = False
    for status in statuses:
        if away != (away := bool(status.redis_away)) and not status.state.ended:
            waiting = "warning: waiting for Redis; work does not stop with this command"
            echo(f"{waiting}: {status.redis_away}" if away else "Redis answers again", err=True)
        yield status
        if away:
            # The workers are not known.
            continue
        waits = hindrances(status, remedy=": start `dubbing worker {}`")
        # An engine that could not be loaded will not appear by itself, so warn at once.
        if waits and (time.monotonic() > look or status.unable != unable):
            for words in waits:
                warn(words)
            look, unable = time.monotonic() + 6 * PATIENCE_SECONDS, status.unable


def show_progress(statuses: Iterator[Status]) -> Status:
    """Show a job's progress on standard error until it ends; return its last status.

    A terminal gets a progress bar, anything else one line per change of state. Names the command
    that explains a failure.
    """
    status = _shown(statuses)
    if status.failed or status.state is JobState.FAILED:
        echo(f"`dubbing why {status.id}` tells what went wrong, and what to do", err=True)
    return status


def _shown(statuses: Iterator[Status]) -> Status:
    from rich import progress as rich  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        return _plain_progress(statuses)
    columns = (
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[left]}"),
    )
    with rich.Progress(*columns, console=console) as progress:
        bar = progress.add_task("queued", total=None, left="")
        for status in statuses:
            words = visible(f"{status.id} {status.state.value}")
            left = "" if status.seconds_left is None else f"{duration(status.seconds_left)} left"
            progress.update(
                bar, description=words, completed=status.done, total=status.lines, left=left
            )
    return status


def _plain_progress(statuses: Iterator[Status]) -> Status:
    state: JobState | None = None
    for status in statuses:
        if status.state is not state:
            # Workers may still be starting: `attended` warns when none does.
            echo(_standing(status), err=True)
        state = status.state
    return status


@contextmanager
def on_interrupt(words: str) -> Iterator[None]:
    """On Ctrl-C, say at once how the work continues."""
    try:
        yield
    except KeyboardInterrupt:
        echo(f"\n{words}", err=True)
        raise


@contextmanager
def left_at_work(follow: str) -> Iterator[None]:
    """On Ctrl-C, or without Redis, say that the command ``follow`` shows the work."""
    with on_interrupt(f"the work continues: `{follow}` shows it"):
        try:
            yield
        except (QueueUnavailable, StorageUnavailable):
            echo(f"work does not stop with this command: `{follow}` shows it again", err=True)
            raise


def stopping() -> AbstractContextManager[None]:
    """On Ctrl-C, say that processes stop, which takes seconds while they work."""
    return on_interrupt("stopping")
