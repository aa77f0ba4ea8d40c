"""A TCP proxy that makes a server seem far away; it runs as a process of its own.

    python distance.py PORT SECONDS

Forwards to PORT on 127.0.0.1. Each byte arrives half of SECONDS late, in both directions, and a
connection is open after SECONDS, as it is over a line with that round trip. Bandwidth is not
limited. The proxy prints its own port when it is ready, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 1 << 18


@contextmanager
def far(port: int, seconds: float) -> Iterator[int]:
    """Run a proxy during the block; yields its port, or ``port`` itself without a delay."""
    if not seconds:
        yield port
        return
    process = subprocess.Popen(
        [sys.executable, __file__, str(port), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.communicate()


async def serve(port: int, seconds: float) -> None:
    """Serve until standard input ends."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled at the end; asyncio would write a traceback for each connection.
        with suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.sleep(seconds)
            try:
                there = await asyncio.open_connection("127.0.0.1", port, limit=CHUNK)
            except OSError:
                # As a server does that is not there.
                writer.transport.abort()
                return
            await asyncio.gather(
                forward(reader, there[1], seconds / 2), forward(there[0], writer, seconds / 2)
            )

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=CHUNK)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: float) -> None:
    """Copy one direction of a connection, each chunk late by so many seconds."""
    clock = asyncio.get_running_loop().time
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            when, data = await due.get()
            await asyncio.sleep(when - clock())
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    delivery = asyncio.ensure_future(deliver())
    try:
        while True:
            data = await reader.read(CHUNK)
            due.put_nowait((clock() + late, data))
            if not data:
                break
        await delivery
    except ConnectionError:
        # Either side may go away at any time.
        delivery.cancel()
        writer.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
