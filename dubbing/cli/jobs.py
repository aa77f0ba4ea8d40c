"""Commands about jobs that were handed in."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dubbing.cli.output import (
    attended,
    describe,
    exit_code,
    json_option,
    print_json,
    print_table,
    show_progress,
)
from dubbing.client import Client, by_state
from dubbing.errors import BadInput
from dubbing.jobs.status import Status


@click.command()
@click.argument("job", required=False)
@click.option("--batch-name", help="Every job of a named batch.")
@json_option
def status(job: str | None, batch_name: str | None, as_json: bool) -> None:
    """Say where JOB, or a named batch of jobs, stands."""
    if (job is None) == (batch_name is None):
        raise BadInput("name a job or a batch, one of them")
    client = Client.connect()
    if job is not None:
        _print(client.status(job), as_json)
        return
    statuses = client.batch(batch_name or "")
    if as_json:
        jobs = [found.model_dump(mode="json") for found in statuses]
        print_json({"batch_name": batch_name, "states": by_state(statuses), "jobs": jobs})
        return
    for found in statuses:
        click.echo(describe(found))
    counts = ", ".join(f"{count} {state}" for state, count in by_state(statuses).items())
    click.echo(f"{batch_name}: {len(statuses)} jobs: {counts}")


@click.command()
@click.argument("job")
@json_option
def watch(job: str, as_json: bool) -> None:
    """Show JOB until it has ended; with --json one line a change."""
    client = Client.connect()
    if not as_json:
        sys.exit(exit_code([show_progress(attended(client.watch(job)))]))
    last: Status | None = None
    for found in attended(client.watch(job)):
        if found != last:
            click.echo(found.model_dump_json())
        last = found
    sys.exit(exit_code([found]))


@click.command()
@json_option
def jobs(as_json: bool) -> None:
    """List every job, by storage."""
    found = Client.connect().jobs()
    if as_json:
        print_json([status.model_dump(mode="json") for status in found])
        return
    rows = [(s.id, s.state.value, f"{s.done}/{s.lines}", s.failed, s.round) for s in found]
    print_table(("job", "state", "lines", "failed", "round"), rows)


@click.command()
@click.argument("job")
@click.option(
    "--out", default=".", type=click.Path(path_type=Path, file_okay=False), help="Folder."
)
@click.option("--partial", is_flag=True, help="The lines that there are so far, one file each.")
@json_option
def fetch(job: str, out: Path, partial: bool, as_json: bool) -> None:
    """Write the outputs and the report of JOB into a folder."""
    client = Client.connect()
    paths = client.fetch_partial(job, out) if partial else client.fetch(job, out)
    if as_json:
        print_json([str(path) for path in paths])
        return
    for path in paths:
        click.echo(path)


@click.command()
@click.argument("job")
@json_option
def cancel(job: str, as_json: bool) -> None:
    """End JOB now; its clips are kept."""
    _print(Client.connect().cancel(job), as_json)


@click.command()
@click.argument("job")
@click.option("--engine", default="", help="Engine that speaks them, in place of the job's.")
@click.option("--voice", default="", help="Voice that speaks them, in place of the cast's.")
@json_option
def retry(job: str, engine: str, voice: str, as_json: bool) -> None:
    """Speak the lines of JOB that have no clip yet, in another round."""
    _print(Client.connect().retry(job, engine=engine, voice=voice), as_json)


def _print(found: Status, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        click.echo(describe(found))
