"""Commands on one job: `logs` lists its events, and `why` explains its state."""

from __future__ import annotations

from datetime import datetime

import click

from dubbing.cli.output import describe, echo, json_option, print_json
from dubbing.cli.statuses import records
from dubbing.client import Client
from dubbing.job import JobState
from dubbing.jobs.history import Event

AGAIN = {JobState.FAILED, JobState.CANCELLED}
"""States in which a job can be retried, independent of its lines."""


@click.command()
@click.argument("job")
@click.option("--errors", is_flag=True, help="Only errors.")
@json_option
def logs(job: str, errors: bool, as_json: bool) -> None:
    """List the events of JOB, from storage: rounds, batches, attempts, errors and the end.

    The logs of the workers have more details: search them for job=JOB.
    """
    events = [one for one in Client.connect().history(job) if one.trouble or not errors]
    if as_json:
        print_json([event.model_dump(mode="json", exclude_none=True) for event in events])
        return
    for event in events:
        echo(_line(event))


@click.command()
@click.argument("job")
@json_option
def why(job: str, as_json: bool) -> None:
    """Explain the state of JOB: what it waits for, or what went wrong."""
    client = Client.connect()
    status, reasons = client.why(job, remedy=": start `dubbing worker {}`")
    if as_json:
        print_json({**records(client, [status])[0], "reasons": reasons})
        return
    echo(describe(status))
    for reason in reasons:
        echo(f"- {reason}")
    if status.state in AGAIN or (status.state.ended and status.failed):
        echo(f"`dubbing retry {job}` speaks the lines that are missing, and no others")


def _line(event: Event) -> str:
    """Return an event in a line."""
    at = datetime.fromtimestamp(event.at).astimezone().isoformat(" ", "seconds")
    indented = "  " if event.line else ""
    by = f", by {event.worker}" if event.worker and not event.line else ""
    return f"{at}  {indented}{event.words}{by}"
