"""The usage of tenants and their collections: present storage; engines, lines and costs in a month.

It is read only from the names of marks: of kept outputs, of ended rounds, and of batches with
costs. The marks of rounds and costs stay when a job is deleted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import Field

from dubbing.documents import Model, is_identifier
from dubbing.errors import Damaged, NewerRelease, NotFound
from dubbing.jobs.costs import MILLIONTHS
from dubbing.jobs.store import load_job
from dubbing.jobs.usage import MILLISECONDS
from dubbing.storage import Keys, Storage, each
from dubbing.submission.uploads import Uploads

UNKNOWN = "-"
"""The tenant of a job that was deleted before any of its rounds ended."""


class Usage(Model):
    """The usage of a tenant, in one of its collections or in none."""

    tenant: str
    collection: str | None
    """None for jobs of no collection, deleted jobs, and uploads."""
    storage_bytes: int
    """Outputs that are kept now, and uploads."""
    engine_seconds: float
    """Seconds that engines spoke, in rounds that ended in the month."""
    lines: int
    """Lines of rounds that ended in the month; some may have had a clip already."""
    costs: dict[str, float] = Field(default_factory=dict)
    """Costs of the batches that were counted in the month, by currency."""


class _Mark(NamedTuple):
    """A mark of a job's usage."""

    job: str
    amount: int


@dataclass
class _Sum:
    bytes: int = 0
    milliseconds: int = 0
    lines: int = 0
    costs: Counter[str] = field(default_factory=Counter)
    """In millionths, by currency."""


def usage(storage: Storage, month: str) -> list[Usage]:
    """Return the usage by tenant and collection. month: as `month_of` names it."""
    collections = _collections(storage)
    tenants: dict[str, str] = {}
    sums: dict[tuple[str, str | None], _Sum] = defaultdict(_Sum)

    def of(tenant: str, job: str) -> _Sum:
        tenants[job] = tenant
        return sums[tenant, collections.get(job)]

    for tenant in _tenants(storage, Keys.KEPT):
        for job, amount in _marks(storage, Keys.kept(tenant)):
            of(tenant, job).bytes += amount
    for tenant in _tenants(storage, Keys.USED):
        for job, amount in _marks(storage, Keys.used(tenant, month)):
            of(tenant, job).milliseconds += amount
    for tenant in _tenants(storage, Keys.SPOKEN):
        for job, amount in _marks(storage, Keys.spoken(tenant, month)):
            of(tenant, job).lines += amount
    for tenant in _tenants(storage, Keys.UPLOADS):
        if size := Uploads(storage).bytes_kept(tenant):
            sums[tenant, None].bytes += size
    costs = [*_costs(storage, month)]
    tenants |= _owners(storage, {mark.job for _, mark in costs} - tenants.keys())
    for currency, (job, amount) in costs:
        of(tenants[job], job).costs[currency] += amount
    return [
        Usage(
            tenant=tenant,
            collection=collection,
            storage_bytes=found.bytes,
            engine_seconds=found.milliseconds / MILLISECONDS,
            lines=found.lines,
            costs={currency: amount / MILLIONTHS for currency, amount in found.costs.items()},
        )
        for (tenant, collection), found in sorted(sums.items(), key=str)
    ]


def _tenants(storage: Storage, prefix: str) -> list[str]:
    return [name for name in storage.folders(prefix) if is_identifier(name)]


def _marks(storage: Storage, prefix: str, parts: int = 2) -> Iterator[_Mark]:
    """Yield the marks below a prefix. parts: of their names, after the job."""
    for key in storage.keys(prefix):
        job, *rest = key.removeprefix(prefix).replace("/", "-").rsplit("-", parts)
        # Other programs put files beside the marks.
        if len(rest) == parts and rest[-1].isdecimal():
            yield _Mark(job, int(rest[-1]))


def _costs(storage: Storage, month: str) -> Iterator[tuple[str, _Mark]]:
    """Yield the currency and the mark of each batch with costs."""
    for engine in storage.folders(Keys.COSTS):
        for currency in storage.folders(Keys.costs(engine, month)):
            for mark in _marks(storage, Keys.costs(engine, month, currency), parts=3):
                yield currency, mark


def _collections(storage: Storage) -> dict[str, str]:
    """Return the collection of each job that is in one."""
    found = (key.removeprefix(Keys.COLLECTIONS) for key in storage.keys(Keys.COLLECTIONS))
    return {job: name for name, _, job in (one.partition("/") for one in found)}


def _owners(storage: Storage, jobs: set[str]) -> dict[str, str]:
    """Return the tenant of each job."""

    def owner(job: str) -> str:
        try:
            return load_job(storage, job, 1).tenant
        except (NotFound, Damaged, NewerRelease):
            return UNKNOWN

    ids = sorted(jobs)
    return dict(zip(ids, each(owner, ids), strict=True))
