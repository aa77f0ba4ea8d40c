"""A process that speaks by the endpoints of ``openai``, as a worker does, and shares their slots.

    python speaker.py REDIS_URL STORAGE NAME LINES

It speaks so many lines, whose texts begin with its name, again and again until it is killed or its
standard input ends. Its leases are short.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LEASE_SECONDS = 0.6
PATIENCE = 1.0
"""How long a line may take."""


@contextmanager
def speaking(
    redis_url: str, storage: Path, name: str, lines: int
) -> Iterator[subprocess.Popen[str]]:
    """Run such a process during the block."""
    process = subprocess.Popen(
        [sys.executable, __file__, redis_url, str(storage), name, str(lines)],
        stdin=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def main(redis_url: str, storage: str, name: str, count: int) -> None:
    """Speak until standard input ends."""
    from dubbing.engines.adapters.openai import OpenAI
    from dubbing.engines.engine import Line
    from dubbing.engines.models.folders import NOWHERE
    from dubbing.engines.remote import engine, shares
    from dubbing.engines.remote.pool import Pools
    from dubbing.ledger import Ledger
    from dubbing.storage import Storage

    shares.RENEW_SECONDS, shares.LEASE_SECONDS = 0.1, LEASE_SECONDS
    engine.PATIENCE, engine.PATIENCE_A_SECOND = PATIENCE, 0.0
    place = Storage.at(storage)
    speaker = OpenAI("openai", NOWHERE, Pools(lambda: place))
    speaker.shares = Ledger(redis_url).slots(name)
    speaker.load("remote")
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    while True:
        speaker.synthesize(
            [Line(text=f"{name} {n}", language="en", voice="low") for n in range(count)]
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
