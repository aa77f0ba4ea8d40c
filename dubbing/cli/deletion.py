"""`dubbing delete`: one job, or all that match."""

from __future__ import annotations

import click

from dubbing.cli.options import collection_option, past
from dubbing.cli.output import counted, echo, json_option, print_json
from dubbing.client import Client
from dubbing.errors import BadInput
from dubbing.job import JobState

ENDED = [state.value for state in JobState if state.ended]


@click.command()
@click.argument("job", required=False)
@collection_option("All jobs of this collection that have ended, in place of JOB.")
@click.option("--tenant", help="All jobs of this tenant that have ended.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(ENDED),
    help="All jobs in this state; may be repeated.",
)
@click.option(
    "--older-than", metavar="AGE", help="All jobs that ended before: 30d, 8w, or before a date."
)
@click.option("--dry-run", is_flag=True, help="Only list the jobs that would be deleted.")
@json_option
def delete(
    job: str | None,
    collection: str | None,
    tenant: str | None,
    states: tuple[str, ...],
    older_than: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Delete JOB, or all jobs that match the options; only jobs that have ended.

    Outputs and reports are deleted, too. Clips and media stay, because jobs share them; `dubbing
    gc` removes them when no job needs them.
    """
    chosen = [collection, tenant, states, older_than]
    if job is None and not any(chosen):
        raise BadInput("name a job, or say which jobs by options")
    if job is not None and any(chosen):
        raise BadInput("name a job, or say which jobs by options, not both")
    client = Client.connect()
    jobs = (
        [job]
        if job
        else client.ended(
            states=[JobState(state) for state in states],
            collection=collection,
            tenant=tenant,
            before=past(older_than, "--older-than").timestamp() if older_than else None,
        )
    )
    for id_ in jobs if not dry_run else ():
        client.delete(id_)
        if not as_json:
            echo(f"{id_}: deleted")
    if as_json:
        print_json({"would_delete" if dry_run else "deleted": jobs})
    elif dry_run:
        for id_ in jobs:
            echo(id_)
        echo(f"{counted(len(jobs), 'job')} would be deleted", err=True)
