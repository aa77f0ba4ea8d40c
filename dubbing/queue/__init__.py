"""The Celery queues: publishing to them, steering their workers, and speaking a line at once."""

from dubbing.queue.publisher import (
    REQUEST_ID,
    SAY,
    STEER,
    TASKS,
    Publisher,
    batch_lists,
    broker_lists,
    make_app,
    own_queue,
    queues_of,
    start_flower,
)

__all__ = [
    "REQUEST_ID",
    "SAY",
    "STEER",
    "TASKS",
    "Publisher",
    "batch_lists",
    "broker_lists",
    "make_app",
    "own_queue",
    "queues_of",
    "start_flower",
]
