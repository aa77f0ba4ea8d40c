"""Commands for submitted jobs: for one job, or for a collection."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from dubbing.cli.exit_codes import DONE, FAILED, of_jobs
from dubbing.cli.on_done import on_done_option, tell
from dubbing.cli.options import check_out, collection_option, past
from dubbing.cli.output import (
    attended,
    describe,
    echo,
    json_option,
    left_at_work,
    print_json,
    show_progress,
    warn,
)
from dubbing.cli.statuses import print_collection, print_jobs, print_status, record, records
from dubbing.client import Client
from dubbing.errors import BadInput, Conflict
from dubbing.job import JobState
from dubbing.jobs.status import Status

EVERY = "All jobs of this collection, in place of JOB."


@click.command()
@click.argument("job", required=False)
@collection_option(EVERY)
@json_option
def status(job: str | None, collection: str | None, as_json: bool) -> None:
    """Show the status of JOB, or of a collection."""
    name, alone = _asked(job, collection)
    client = Client.connect()
    if alone:
        print_status(client, client.status(name), as_json=as_json)
    else:
        print_collection(client, name, client.collection(name), as_json=as_json)


@click.command()
@click.argument("job")
@on_done_option
@json_option
def watch(job: str, on_done: list[str] | None, as_json: bool) -> None:
    """Show JOB until it ends; with --json, print one line per change."""
    client = Client.connect()
    statuses = attended(client.watch(job))
    with left_at_work(f"dubbing watch {job}"):
        last = _print_changes(client, statuses) if as_json else show_progress(statuses)
    sys.exit(tell(on_done, client, last) or of_jobs([last]))


@click.command()
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in JobState]),
    help="Only jobs in this state; may be repeated.",
)
@click.option(
    "--since", metavar="TIME", help="Only jobs submitted since 90m, 2h or 3d ago, or a date."
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="List at most this many jobs.",
)
@json_option
def jobs(states: tuple[str, ...], since: str | None, limit: int, as_json: bool) -> None:
    """List the jobs, the last submitted first."""
    client = Client.connect()
    found = client.jobs(
        states=[JobState(state) for state in states],
        since=past(since).timestamp() if since else 0.0,
        # One more tells whether there are others.
        limit=limit + 1,
    )
    if len(found) > limit:
        echo(f"these are the last {limit} jobs: for more of them, raise --limit", err=True)
    found = found[:limit]
    if as_json:
        print_json(records(client, found))
        return
    if not found:
        asked = " of this kind" if states or since else ""
        echo(f"there are no jobs{asked} in {client.storage.url}", err=True)
    print_jobs(client, found)
    if away := next((status.redis_away for status in found), ""):
        warn(f"storage alone could be asked: {away}")
    for status in found:
        if status.state is JobState.UNREADABLE:
            echo(describe(status), err=True)


@click.command()
@click.argument("job", required=False)
@collection_option(EVERY)
@click.option(
    "--out", default=".", type=click.Path(path_type=Path, file_okay=False), help="Folder."
)
@click.option("--name", help="Beginning of the files' names; by default, the job's.")
@click.option("--partial", is_flag=True, help="Fetch the lines spoken so far, one file each.")
@json_option
def fetch(
    job: str | None,
    collection: str | None,
    out: Path,
    name: str | None,
    partial: bool,
    as_json: bool,
) -> None:
    """Write the outputs and the report of JOB, or of a collection, into a folder.

    The files are named after the script: e01.de.dub.mp4 and e01.de.report.json. Exits with 1 if a
    job of the collection has nothing to fetch yet.
    """
    asked, alone = _asked(job, collection)
    check_out(out)
    client = Client.connect()
    get = client.fetch_partial if partial else client.fetch
    if alone:
        _print_paths(get(asked, out, name=name), as_json)
        return
    if name is not None:
        words = "a collection's files are named after its jobs: leave it out"
        raise BadInput(words, where="--name")
    statuses = client.collection(asked)
    ready = [found for found in statuses if (found.round if partial else found.output)]
    names = client.file_names([found.id for found in statuses])
    paths = [path for found in ready for path in get(found.id, out, name=names[found.id])]
    for found in statuses:
        if found not in ready:
            echo(f"nothing to fetch of {describe(found)}", err=True)
    _print_paths(paths, as_json)
    sys.exit(DONE if len(ready) == len(statuses) else FAILED)


@click.command()
@click.argument("job", required=False)
@collection_option(EVERY)
@json_option
def cancel(job: str | None, collection: str | None, as_json: bool) -> None:
    """Cancel JOB, or a collection, at once; the clips are kept.

    If JOB, or every job of the collection, has ended, says so and exits with 0.
    """
    name, alone = _asked(job, collection)
    client = Client.connect()
    statuses = [client.status(name, readable=False)] if alone else client.collection(name)
    if all(found.state.ended for found in statuses):
        subject = "it has" if alone else "all its jobs have"
        echo(f"{name}: {subject} ended, there is nothing to cancel", err=True)
    ended = [found if found.state.ended else client.cancel(found.id) for found in statuses]
    if alone:
        print_status(client, ended[0], as_json=as_json)
    else:
        print_collection(client, name, ended, as_json=as_json)


@click.command()
@click.argument("job", required=False)
@collection_option("All failed, cancelled or incomplete jobs of this collection, in place of JOB.")
@click.option("--engine", default="", help="Engine for these lines, in place of the job's.")
@click.option("--voice", default="", help="Voice for these lines, in place of the cast's.")
@json_option
def retry(job: str | None, collection: str | None, engine: str, voice: str, as_json: bool) -> None:
    """Speak the missing lines of JOB, or of a collection, in another round."""
    name, alone = _asked(job, collection)
    client = Client.connect()
    if alone:
        print_status(client, client.retry(name, engine=engine, voice=voice), as_json=as_json)
        return
    due = [found for found in client.collection(name) if _can_be_retried(found)]
    if not due:
        raise Conflict(f"no job of collection {name!r} has failed, was cancelled or lacks lines")
    statuses = [client.retry(found.id, engine=engine, voice=voice) for found in due]
    print_collection(client, name, statuses, as_json=as_json)


def _asked(job: str | None, collection: str | None) -> tuple[str, bool]:
    """Return the name of the job or collection asked for, and whether it is a job's."""
    if job is None and collection is None:
        raise BadInput("name a job or a --collection; `dubbing jobs` lists the jobs")
    if job is not None and collection is not None:
        raise BadInput("name a job or a --collection, not both")
    return (collection or "", False) if job is None else (job, True)


def _can_be_retried(found: Status) -> bool:
    """Whether a job has ended without success, or with lines that have no clip."""
    return found.state.ended and (found.state is not JobState.COMPLETED or found.failed > 0)


def _print_changes(client: Client, statuses: Iterator[Status]) -> Status:
    """Print each status that differs from the one before; return the last one."""
    last = next(statuses)
    facts = client.facts([last.id]).get(last.id)
    print_json(record(last, facts), indent=None)
    for found in statuses:
        if found != last:
            print_json(record(found, facts), indent=None)
        last = found
    return last


def _print_paths(paths: Sequence[Path], as_json: bool) -> None:
    if as_json:
        print_json([str(path) for path in paths])
        return
    for path in paths:
        echo(path)
