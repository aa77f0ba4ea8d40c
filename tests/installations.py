"""Installations for tests of one process."""

from __future__ import annotations

from dubbing.jobs.access import Access
from dubbing.jobs.installation import Installation
from dubbing.ledger import Ledger
from dubbing.storage import Storage


def access(storage: Storage, redis_url: str) -> Access:
    """Return the access of a process that has entered its installation."""
    installation = Installation(storage, Ledger(redis_url))
    installation.enter()
    return Access(storage, installation)
