"""The ledger: all state in Redis, above all which batch is waiting, published, leased or closed.

Any of these keys may vanish: `audit` finds the jobs whose entries do not add up, and
`dubbing.jobs.rounds` restores them from storage. Each step is one script, so no process can die in
the middle of a step; a repeated step does no harm. Foreign entries are dropped.

=============================  ====================================================================
``job:<id>``                   hash: round, id of the request that asked for it, state, tenant,
                               length, counts of lines and of batches
``job:<id>:todo:<queue>``      list: tokens of waiting batches
``job:<id>:held:<n>``          list: batches that wait for extraction ``n``
``job:<id>:closed``            bitmap over batch numbers
``job:<id>:deliveries``        hash: how often each line or voice was begun and not finished, and
                               how often a batch failed without fault of its lines
``job:<id>:events``            capped stream for watchers
``job:<id>:queues``, ``…:held`` sets: queues of the first list, extractions of the second
``ring:<queue>[:<tenant>]``    lists: tenants in turn, and each tenant's jobs in turn
``new:<queue>[:<tenant>]``     hashes: the number of new members that wait in a ring, and of those
                               that went ahead
``published:<queue>``          sorted set: messages sent and not claimed, by time
``leases:<queue>``             sorted set: batches being worked on, by the end of their lease
``owners``                     hash: the owner of a leased batch, its deadline, and its begin; the
                               owner of a returned batch that rests is ``-``. Of a published batch:
                               the process that has reserved it, and the end of the reservation
``pace:<queue>``               hash: mean duration, size and lines of recent batches; lines of the
                               largest batch; mean cost of a line, by currency
``hour``                       hash: the finished and the failed lines of each of the last 60
                               minutes, by the minute within its hour
``backlog``                    hash: the begin of a job's work on a queue, and the remaining lines,
                               by queue and job
``totals[:<worker>]``          hashes: the counts of all processes, and of those of a worker
``express:<queue>``            count: requests without a job that went ahead since the last batch
``worker:<name>``, ``slots:…`` heartbeats of workers, and their slots by queue
``workers``                    sorted set: names of workers, by their last heartbeat
``counts:<queue>[:<tenant>]``  cache: the members of a long ring, and the batches of each that wait
``spent:<account>``            cache: the cost of an engine's lines in a month
``holding:<name>``             hash: the last report of each process of a worker on its engines
``work:<name>``                hash: the finished work of a worker, and its duration
``servers``                    hash: the last heartbeat of each registered server, by its id
``session:<digest>``           string: the API key of a person who has signed in on a page
``shares:<engine>``            hash: the endpoints' slots that each process has, and those it wants
``began``                      string: since when Redis has kept its data
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
