"""Lists of the jobs that a caller may see and that match a filter, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from dubbing.errors import DubbingError
from dubbing.gateway.callers import Caller
from dubbing.gateway.office import Office
from dubbing.job import JobState
from dubbing.jobs.facts import JobFacts
from dubbing.jobs.index import submitted_before
from dubbing.jobs.status import Status, candidates, statuses_of
from dubbing.storage import each

AT_ONCE = 100
"""Jobs that are read together."""
SEARCHED = 20_000
"""Jobs that one request searches for a part of an id: 20 LIST calls of a bucket."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A filter of jobs; all conditions have to hold."""

    states: frozenset[JobState] = frozenset()
    """None: any."""
    collection: str | None = None
    tenant: str | None = None
    since: float = 0.0
    """Seconds since 1970."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    part: str = ""
    """Part of the id, in any case."""

    def may_be(self, id_: str) -> bool:
        """Whether a job's id matches."""
        return self.part.casefold() in id_.casefold()

    def fits(self, facts: JobFacts) -> bool:
        """Whether a job's facts match."""
        return (
            self.collection in {None, facts.collection}
            and self.tenant in {None, facts.tenant}
            and self.metadata.items() <= facts.metadata.items()
        )


def page_of(
    office: Office, caller: Caller, wanted: Wanted, *, limit: int, cursor: str | None
) -> tuple[list[Status], str | None]:
    """Return a page of jobs, and the cursor of the next one, None at the end.

    A page that searches for a part of an id ends after `SEARCHED` jobs, even without a match.
    Raises BadInput for a cursor that no page gave.
    """
    storage, ledger = office.client.storage, office.client.ledger
    marks = submitted_before(storage, cursor, since=wanted.since)
    most = SEARCHED if wanted.part else None
    marks = islice(candidates(storage, wanted.states, marks), most)
    found: list[tuple[str, Status]] = []
    looked, last = 0, None
    # The first jobs usually fill the page.
    some_more = min(limit + 1, AT_ONCE)
    while len(found) <= limit and (some := list(islice(marks, some_more))):
        looked, last, some_more = looked + len(some), some[-1][0], AT_ONCE
        ids = [id_ for _, id_ in some if wanted.may_be(id_)]
        facts = dict(zip(ids, each(lambda id_: _facts(office, id_), ids), strict=True))
        seen = [
            id_ for id_ in ids if (it := facts[id_]) and caller.sees(it.tenant) and wanted.fits(it)
        ]
        place = {id_: mark for mark, id_ in some}
        found += [
            (place[status.id], status)
            for status in (statuses_of(storage, ledger, seen) if seen else ())
            if not wanted.states or status.state in wanted.states
        ]
    if len(found) > limit:
        last = found[limit - 1][0]
    elif looked != most:
        last = None
    return [status for _, status in found[:limit]], last


def _facts(office: Office, id_: str) -> JobFacts | None:
    """Return the facts of a job, or None for one that cannot be read."""
    try:
        return office.facts.first(id_)
    except DubbingError:
        return None
