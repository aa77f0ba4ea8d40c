"""The statuses of jobs, with the facts that tell people which job is which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from dubbing.cli.output import counted, describe, echo, print_json, print_table
from dubbing.client import Client, by_state
from dubbing.job import DEFAULT_TENANT
from dubbing.jobs.facts import JobFacts
from dubbing.jobs.status import Status


def print_status(client: Client, found: Status, *, as_json: bool) -> None:
    """Print the status of a job in a line, or as JSON."""
    if as_json:
        print_json(records(client, [found])[0])
    else:
        _describe(client, [found])


def print_collection(
    client: Client, collection: str, statuses: Sequence[Status], *, as_json: bool
) -> None:
    """Print the statuses of the jobs of a collection, and how many there are of each state."""
    if as_json:
        jobs = records(client, statuses)
        print_json({"collection": collection, "states": by_state(statuses), "jobs": jobs})
        return
    _describe(client, statuses)
    counts = ", ".join(f"{count} {state}" for state, count in by_state(statuses).items())
    echo(f"{collection}: {counted(len(statuses), 'job')}: {counts}")


def print_jobs(client: Client, statuses: Sequence[Status]) -> None:
    """Print a table of jobs; their tenants and collections if some have any."""
    known = list(_with_facts(client, statuses))
    columns: dict[str, list[object]] = {
        "job": [status.id for status, _ in known],
        "name": [facts.name if facts else "" for _, facts in known],
        "state": [status.state.value for status, _ in known],
        "lines": [f"{status.done}/{status.lines}" for status, _ in known],
        "failed": [status.failed for status, _ in known],
        "round": [status.round for status, _ in known],
        "submitted": [_time(facts.created) if facts else "" for _, facts in known],
    }
    if any(facts and facts.tenant != DEFAULT_TENANT for _, facts in known):
        columns["tenant"] = [facts.tenant if facts else "" for _, facts in known]
    if any(facts and facts.collection for _, facts in known):
        columns["collection"] = [(facts and facts.collection) or "" for _, facts in known]
    print_table([*columns], zip(*columns.values(), strict=True))


def records(client: Client, statuses: Sequence[Status]) -> list[dict[str, Any]]:
    """Return statuses for machines, with the facts of their jobs."""
    return [record(status, facts) for status, facts in _with_facts(client, statuses)]


def record(status: Status, facts: JobFacts | None) -> dict[str, Any]:
    """Return a status for machines, with the facts of its job; None if these are unreadable."""
    unknown = dict.fromkeys(field.name for field in fields(JobFacts))
    return {**(asdict(facts) if facts else unknown), **status.model_dump(mode="json")}


def _with_facts(
    client: Client, statuses: Sequence[Status]
) -> Iterator[tuple[Status, JobFacts | None]]:
    facts = client.facts([status.id for status in statuses])
    return ((status, facts.get(status.id)) for status in statuses)


def _describe(client: Client, statuses: Sequence[Status]) -> None:
    for status, facts in _with_facts(client, statuses):
        echo(describe(status, facts.name if facts else ""))


def _time(seconds: float | None) -> str:
    """Return a time by the clock of this place."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
