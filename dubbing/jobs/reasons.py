"""The reasons for a job's present state, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from dubbing.errors import SpeechRejected
from dubbing.job import JobState
from dubbing.jobs.hindrances import hindrances
from dubbing.jobs.status import Status
from dubbing.ledger import Ledger
from dubbing.planning.outcome import Outcome, gather
from dubbing.storage import Storage

REJECTED = (
    "speech is rejected if the voice cannot read the text, such as letters of another script: "
    "change the text of such a line, and revise the job"
)
SHOWN = 8
"""Number of lines to list of those with the same error."""


def reasons(
    storage: Storage, ledger: Ledger | None, status: Status, *, remedy: str = ""
) -> Iterator[str]:
    """Yield the reasons for a job's state: what it waits for, or what went wrong.

    ledger: None if Redis is away; the reasons of a job that has ended are in storage.
    remedy: as in `hindrances`.
    """
    if status.state is JobState.UNREADABLE:
        return
    if not status.state.ended:
        if ledger:
            yield from _waits(ledger, status, remedy)
        return
    if status.error:
        yield status.error.message
    if status.failed:
        outcomes = gather(storage, status.id, status.round).values()
        yield from failures(outcomes)
        errors = (outcome.result.error for outcome in outcomes)
        if any(error and error.code == SpeechRejected.code for error in errors):
            yield REJECTED


def _waits(ledger: Ledger, status: Status, remedy: str) -> Iterator[str]:
    """Yield the reasons why an open job waits."""
    waits = hindrances(status, remedy=remedy)
    yield from waits
    if status.place:
        yield f"{status.place} batches of other jobs are begun before its next one"
    if not waits and not status.place:
        yield "workers are working on it"
    (idle,) = ledger.events.idle_seconds([status.id])
    if idle is not None:
        yield f"its last progress was {idle:.0f} s ago"


def failures(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the errors of lines, each with the lines that have it, the most frequent first."""
    lines = defaultdict[str, list[str]](list)
    for outcome in outcomes:
        if error := outcome.result.error:
            lines[f"{error.message} ({error.code})"].append(outcome.line.id)
    ordered = sorted(lines.items(), key=lambda item: -len(item[1]))
    return [f"{_named(ids)}: {error}" for error, ids in ordered]


def _named(ids: list[str]) -> str:
    """Return the words for some lines."""
    if len(ids) == 1:
        return f"line {ids[0]}"
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return f"lines {', '.join(ids[:SHOWN])}{more}"
