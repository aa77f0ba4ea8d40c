"""What a follower of a job is told, in which order."""

from __future__ import annotations

import asyncio

from dubbing.gateway.follow import Event, Follower
from dubbing.job import JobState
from dubbing.jobs.status import Status


def stands(round_: int, state: JobState) -> Status:
    return Status(id="j", state=state, round=round_, lines=2)


BEFORE = stands(1, JobState.COMPLETED)
NOW = stands(2, JobState.QUEUED)
LATER = stands(2, JobState.COMPLETED)


def test_a_job_stands_nowhere_where_it_stood_before_the_follower_came() -> None:
    async def told() -> list[Event]:
        follower = Follower(None)
        # It was asked before the job was retried, and comes afterwards.
        follower.put(Event("j", BEFORE, 1.0))
        follower.begin([Event("j", NOW, 2.0)])
        follower.put(Event("j", BEFORE, 1.0, id="1-0", name="state"))
        follower.put(Event("j", LATER, 3.0))
        follower.put(None)
        return [event async for event in follower.events()]

    assert [(event.id, event.status) for event in asyncio.run(told())] == [
        ("", NOW),
        ("1-0", NOW),
        ("", LATER),
    ]
