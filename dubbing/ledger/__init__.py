"""The ledger: which batch is waiting, published, leased or closed. It holds all state in Redis.

All these keys, or any of them, may vanish: `audit` finds the jobs whose entries do not add up, and
`dubbing.jobs.rounds` makes them whole from storage. Each step is one script, so no process can die
in the middle of a step; sending a step twice does no harm. Entries that are not ours are dropped.

=============================  ====================================================================
``job:<id>``                   hash: round, id of the request that asked for it, state, tenant,
                               length, counts of lines and of batches
``job:<id>:todo:<queue>``      list: tokens of waiting batches
``job:<id>:held:<n>``          list: batches that wait for extraction ``n``
``job:<id>:closed``            bitmap over batch numbers
``job:<id>:deliveries``        hash: how often each line or voice was begun and not finished
``job:<id>:events``            capped stream for watchers
``job:<id>:queues``, ``…:held`` sets: queues of the first list, extractions of the second
``ring:<queue>[:<tenant>]``    lists: tenants in turn, and each tenant's jobs in turn
``new:<queue>[:<tenant>]``     hashes: how many new members wait in a ring, and how many went ahead
``published:<queue>``          sorted set: messages sent and not claimed, by time
``leases:<queue>``             sorted set: batches being worked on, by the lease's end
``owners``                     hash: who holds a lease, the batch's deadline, and since when; ``-``
                               holds batches that were handed back and rest. Of a published batch:
                               which process has reserved it, and until when
``pace:<queue>``               hash: mean duration, size and lines of recent batches; lines of the
                               largest; what a line cost in the mean, by currency
``hour``                       hash: the lines that were done and that failed in each of the last 60
                               minutes, by the minute within its hour
``backlog``                    hash: since when a job has had work on a queue, and how many lines
                               are left there, by queue and job
``totals[:<worker>]``          hashes: what all processes, and those of a worker, have counted
``express:<queue>``            count: requests without a job that went ahead since the last batch
``worker:<name>``, ``slots:…`` heartbeats of workers, and their slots by queue
``workers``                    sorted set: names of workers, by their last heartbeat
``counts:<queue>[:<tenant>]``  cache: the members of a long ring, and the batches of each that wait
``spent:<account>``            cache: what the lines of an engine cost in a month
``holding:<name>``             hash: what each process of a worker holds in memory, as it reported
``work:<name>``                hash: how much a worker has done, and how long it took
``servers``                    hash: the last heartbeat of each registered server, by its id
``session:<digest>``           string: the API key of who has signed in on a page
``shares:<engine>``            hash: the slots of each endpoint that a process has, and its wish
``began``                      string: since when Redis has kept what it was told
``reply:<ticket>``             list: the answer to a request that has no job
``asking:<ticket>``            mark: a caller still waits for that answer
``installation``               string: the id of the installation, which storage holds too
``turn:<what>``                lock: a task that one process at a time does
``queue:…``                    Celery's own keys and channels, which `dubbing.queue` names
=============================  ====================================================================

All keys have the prefix ``dubbing:``. A *token* is
``number:offset:length:deadline:lines``, or ``assembly``; a *member* is ``job|round|token``.
"""

from dubbing.ledger.ledger import Ledger
from dubbing.ledger.records import (
    OFFLINE_SECONDS,
    Address,
    Audit,
    Begun,
    Claim,
    WorkerRecord,
    WorkerState,
)
from dubbing.ledger.standings import Prospect, Snapshot, SnapshotResult, Standing

__all__ = [
    "OFFLINE_SECONDS",
    "Address",
    "Audit",
    "Begun",
    "Claim",
    "Ledger",
    "Prospect",
    "Snapshot",
    "SnapshotResult",
    "Standing",
    "WorkerRecord",
    "WorkerState",
]
