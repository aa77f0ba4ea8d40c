"""The ledger: which batch is waiting, published, leased or closed. All state in Redis is here.

Everything below may vanish: `dubbing.jobs.rounds` makes it again from storage. Each step is one script,
so that no process can die in the middle of one; each may be sent twice without harm.

=============================  ====================================================================
``job:<id>``                   hash: round, state, tenant, length, counts of lines and of batches
``job:<id>:todo:<queue>``      list: tokens of batches that wait
``job:<id>:held:<n>``          list: batches that wait for extraction ``n``
``job:<id>:closed``            bitmap over batch numbers
``job:<id>:deliveries``        hash: how often each line or voice was begun and not finished
``job:<id>:events``            capped stream for watchers
``job:<id>:queues``, ``…:held`` sets: what there is of the two above
``ring:<queue>[:<tenant>]``    lists: tenants in turn, and each tenant's jobs in turn
``new:<queue>[:<tenant>]``     hashes: how many of a ring are new, and how many of those went ahead
``published:<queue>``          sorted set: messages sent and not claimed, by time
``leases:<queue>``             sorted set: batches being worked on, by the lease's end
``owners``                     hash: who holds a lease, the batch's deadline, and since when
``pace:<queue>``               hash: how long batches of late took, their size; the most lines
``express:<queue>``            how many requests without a job went ahead since the last batch
``worker:<name>``, ``slots:…`` heartbeats
``holding:<name>``             hash: what each process of a worker has in memory, by its own word
``reply:<ticket>``             list: the answer to a request that has no job
``turn:<what>``                who does what one process at a time may as well do
=============================  ====================================================================

All keys have the prefix ``dubbing:``. A *token* is
``number:offset:length:deadline:lines``, or ``assembly``; a *member* is ``job|round|token``.
"""

from dubbing.ledger.ledger import Ledger
from dubbing.ledger.records import (
    Address,
    Claim,
    Holding,
    Snapshot,
    Standing,
    WorkerRecord,
    WorkerState,
)

__all__ = [
    "Address",
    "Claim",
    "Holding",
    "Ledger",
    "Snapshot",
    "Standing",
    "WorkerRecord",
    "WorkerState",
]
