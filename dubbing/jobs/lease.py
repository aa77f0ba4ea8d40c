"""The lease of one batch, renewed during the work, and the counts of the batch's failures."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from functools import partial

from dubbing.errors import DubbingError, EngineFailed, Stopped, StorageUnavailable
from dubbing.ledger import Address, Ledger
from dubbing.telemetry.context import bound

log = logging.getLogger(__name__)

STORAGE = "storage"

MARGIN_SECONDS = 0.5
"""Seconds before its deadline from which running work counts as hanging."""


class Lease:
    """The lease of one batch, which a thread renews from `keep` to `leave`.

    While the batch is only reserved, it has not begun, and another process may take it over.
    """

    def __init__(
        self,
        ledger: Ledger,
        at: Address,
        owner: str,
        lost: Callable[[Exception], bool] = lambda exc: False,
    ) -> None:
        """Hold a batch that ``owner`` has claimed.

        lost: returns whether an error is this process's fault, because it cannot use storage.
        """
        self.at = at
        self._lost_storage = lost
        self._ledger = ledger
        self._owner = owner
        self._setbacks: int | None = None
        self._alone: str | None = None
        self._over = threading.Event()
        self._lost = threading.Event()
        self._end = math.inf
        with bound(**at.context):
            run = partial(copy_context().run, self._keep)
        self._thread = threading.Thread(target=run, name="lease", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the work was still needed at the last renewal."""
        return not self._lost.is_set()

    def check(self) -> None:
        """Renew the lease now; raise Stopped unless the work is still needed."""
        self._renew()
        self.check_known()

    def check_known(self) -> None:
        """Raise Stopped unless the work was still needed at the last renewal; makes no call."""
        if not self.alive:
            raise Stopped(f"{self.at.job}: the batch was cancelled, or its lease ran out")

    def set_back(self, exc: Exception) -> int:
        """Count once that the batch failed without fault of its lines; return the count.

        Failures of storage and of engines have separate counts. If only this process cannot use
        storage, it counts nothing and returns 0: other processes may do the batch.
        """
        if self._setbacks is None:
            lost = self._lost_storage(exc)
            name = self._setbacks_of(_kind(exc))
            self._setbacks = 0 if lost else self._ledger.deliver_again(self.at.job, name) + 1
        return self._setbacks

    def forget_setbacks(self) -> None:
        """Reset the count of storage failures: all of storage is down, not only for this batch."""
        self._ledger.forgive(self.at.job, [self._setbacks_of(STORAGE)])

    def _setbacks_of(self, kind: str) -> str:
        return f"setbacks of {self.at.token} by {kind}"

    def begin_alone(self, id_: str) -> int:
        """Count a delivery of work that is done alone; return the number of deliveries before it.

        A hang counts as two deliveries: it costs a full deadline, and no other line is to blame.
        """
        self._alone = id_
        return self._ledger.deliver_again(self.at.job, id_)

    def end_alone(self) -> None:
        """Note that the work done alone has ended."""
        self._alone = None

    def keep(self) -> None:
        """Start renewing the lease in a thread."""
        self._thread.start()

    def begin(self) -> None:
        """Note that the work begins: its deadline counts from now."""
        self._end = time.monotonic() + self.at.deadline - MARGIN_SECONDS

    def leave(self) -> None:
        """Stop renewing the lease."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        while (left := self._end - time.monotonic()) > 0:
            if self._over.wait(min(left, self._ledger.lease / 3)) or not self.alive:
                return
            self._renew()
        if self._alone:
            log.warning("%s: %s hangs", self.at.job, self._alone)
            try:
                self._ledger.deliver_again(self.at.job, self._alone)
            except DubbingError as exc:
                log.warning("%s: this hang counts as one delivery: %s", self.at.job, exc)

    def _renew(self) -> None:
        try:
            if not self._ledger.renew(self.at, self._owner):
                self._lost.set()
        except DubbingError as exc:
            # If the lease runs out, the batch is done twice, and counted once.
            log.warning("the lease of %s could not be renewed: %s", self.at, exc)


def _kind(exc: Exception) -> str:
    """Return the name of the count of failures to which an exception belongs."""
    if isinstance(exc, StorageUnavailable):
        return STORAGE
    return "engine" if isinstance(exc, EngineFailed) else "others"
