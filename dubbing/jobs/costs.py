"""The costs of an engine's lines in a calendar month.

Storage holds a mark of each batch that cost something, whose name ends with the amount. The ledger
keeps the sum of a month for an hour, and adds each batch that it counts. A batch that is counted
while its month is being summed up may be missing, or be counted twice, until that hour has passed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from dubbing.engines.remote.pool import month_of
from dubbing.engines.usage import by_engine
from dubbing.ledger import Address, Ledger
from dubbing.planning.result import BatchResult
from dubbing.storage import Keys, Storage

MILLIONTHS = 1_000_000


class Account(NamedTuple):
    """An account: one engine, month and currency."""

    engine: str
    month: str
    """As `month_of` names it."""
    currency: str


def enter(storage: Storage, at: Address, result: BatchResult) -> dict[str, int]:
    """Mark the costs of a batch; return them in millionths, by the name of the ledger's account.

    A repeated call in the same month writes the same mark.
    """
    month = month_of(datetime.now(UTC))
    found = {}
    for use in by_engine(result.used):
        if amount := round(use.cost * MILLIONTHS):
            account = Account(use.engine, month, use.currency)
            mark = f"{at.job}-{at.round}-{result.batch}-{amount}"
            storage.create(Keys.costs(*account) + mark, b"")
            found[":".join(account)] = amount
    return found


def spent(storage: Storage, ledger: Ledger, account: Account) -> float:
    """Return the sum of an account; raises StorageUnavailable and QueueUnavailable."""
    name = ":".join(account)
    known = ledger.accounts.spent(name)
    if known is None:
        known = _summed(storage, account)
        ledger.accounts.remember(name, known)
    return known / MILLIONTHS


def summed(storage: Storage, account: Account) -> float:
    """Return the sum of an account from its marks in storage."""
    return _summed(storage, account) / MILLIONTHS


def _summed(storage: Storage, account: Account) -> int:
    amounts = (mark.rpartition("-")[2] for mark in storage.keys(Keys.costs(*account)))
    # Other programs put files beside the marks.
    return sum(int(amount) for amount in amounts if amount.isdecimal())
