"""A TCP proxy that simulates the latency of a distant server, in its own process.

    python distance.py PORT SECONDS

Forwards to PORT on 127.0.0.1. SECONDS is the round trip: each byte is delayed by half of it in
either direction, and a connection opens after the whole. Bandwidth is not limited. The proxy prints
its own port when it is ready, and ends when its standard input is closed.
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
        # Connections are cancelled at the end; asyncio would print a traceback for each.
        with suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.sleep(seconds)
            try:
                there = await asyncio.open_connection("127.0.0.1", port, limit=CHUNK)
            except OSError:
                # As if no server listened.
                writer.transport.abort()
                return
            await asyncio.gather(
                forward(reader, there[1], seconds / 2), forward(there[0], writer, seconds / 2)
            )

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=CHUNK)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: float) -> None:
    """Copy one direction of a connection, each chunk delayed by ``late`` seconds."""
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
        # Either side may close the connection at any time.
        delivery.cancel()
        writer.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
