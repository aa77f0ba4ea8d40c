"""The ledger: which batch is waiting, published, leased or closed. All state in Redis is here.

Everything below may vanish: `dubbing.rounds` makes it again from storage. Each step is one script,
so that no process can die in the middle of one; each may be sent twice without harm.

=============================  ====================================================================
``job:<id>``                   hash: round, state, tenant, counts of lines and of batches
``job:<id>:todo:<queue>``      list: tokens of batches that wait
``job:<id>:held:<n>``          list: batches that wait for extraction ``n``
``job:<id>:closed``            bitmap over batch numbers
``job:<id>:deliveries``        hash: how often each line that is not spoken yet was begun
``job:<id>:events``            capped stream for watchers
``ring:<queue>[:<tenant>]``    lists: tenants in turn, and each tenant's jobs in turn
``published:<queue>``          sorted set: messages sent and not claimed, by time
``leases:<queue>``             sorted set: batches being worked on, by the lease's end
``owners``                     hash: who holds a lease, and the batch's deadline
``worker:<name>``, ``slots:…`` heartbeats
=============================  ====================================================================

All keys have the prefix ``dubbing:``. A *token* is ``number:offset:length:deadline``, or
``assembly``; a *member* is ``job|round|token``.
"""

from dubbing.ledger.ledger import Address, Claim, Ledger, Snapshot, WorkerRecord

__all__ = ["Address", "Claim", "Ledger", "Snapshot", "WorkerRecord"]
