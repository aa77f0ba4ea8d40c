"""The gateway under many requests, many followers and a large upload.

- ``errors``: answers other than 200 and 429 to 1,000 requests for speech in a minute, up to 50 at
  once, sent on schedule, whether earlier ones are answered or not.
- ``overhead_p99_ms``: 99th percentile of the time that a request takes beyond its speech.
- ``vs_client``: median time of a request for speech ÷ that of the same call by the Python client.
- ``watchers_mb``: memory of a gateway with 500 clients of its events and 100 of its WebSockets.
- ``redis_calls_per_watcher``: calls to Redis a second for each of these clients; a script or a
  pipeline is one call.
- ``upload_growth_mb``: growth of its memory during an upload of 2 GB.

Takes two minutes.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import redis
from websockets.asyncio.client import connect

from benchmarks._system import UNBOUNDED, from_tests, settings
from dubbing.client import Client
from dubbing.embedded.stack import Stack
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings

REQUESTS, SECONDS, AT_ONCE = 1000, 60.0, 50
PAIRS = 60
FOLLOWERS, SOCKETS, JOBS = 500, 100, 10
LISTEN_SECONDS = 10.0
UPLOAD, PIECE = 2 << 30, 1 << 20
PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
NOW = re.compile(r"VmRSS:\s+(\d+) kB")

AT_MOST = {
    "errors": 0,
    "overhead_p99_ms": 50,
    "vs_client": 1.5,
    "watchers_mb": 300,
    "redis_calls_per_watcher": 0.02,
    "upload_growth_mb": 64,
}


def run() -> dict[str, float]:
    """Return the figures."""
    gateways = from_tests("gateways")
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        known = settings(Path(folder), "espeak", slots=1)
        with Stack(known, ["espeak"]):
            client = Client.connect(known)
            client.say("Ready?", language="en")
            with gateways.running(known, **UNBOUNDED) as gateway:
                figures = asyncio.run(_load(gateway.url)) | _beside(gateway, client)
            with gateways.running(known, **UNBOUNDED) as gateway:
                figures |= asyncio.run(_followed(gateway, client, known))
            with gateways.running(known, **UNBOUNDED) as gateway:
                figures |= _uploaded(gateway)
    return figures


def _text(n: int) -> dict[str, str]:
    return {"text": f"Line {n} of many.", "voice_id": "Annie", "language": "en"}


async def _load(url: str) -> dict[str, float]:
    """Send requests on schedule; return ``errors`` and ``overhead_p99_ms``."""
    free, beyond = asyncio.Semaphore(AT_ONCE), []
    wrong = 0
    async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
        # Warm-up: the first text in a language reads dictionaries from disk.
        await http.post("/api/synthesize", json=_text(REQUESTS))

        async def ask(n: int) -> None:
            nonlocal wrong
            await asyncio.sleep(n * SECONDS / REQUESTS)
            async with free:
                began = time.perf_counter()
                answer = await http.post("/api/synthesize", json=_text(n))
                took = (time.perf_counter() - began) * 1000
            wrong += answer.status_code not in {200, 429}
            if answer.status_code == 200:
                beyond.append(took - float(answer.headers["Server-Timing"].partition("=")[2]))

        await asyncio.gather(*map(ask, range(REQUESTS)))
    return {"errors": wrong, "overhead_p99_ms": statistics.quantiles(beyond, n=100)[-1]}


def _beside(gateway: Any, client: Client) -> dict[str, float]:
    """Compare requests with calls of the client, in turn."""
    by_http, by_client = [], []
    for n in range(PAIRS):
        body = _text(REQUESTS + n)
        began = time.perf_counter()
        gateway.http.post("/api/synthesize", json=body).raise_for_status()
        by_http.append(time.perf_counter() - began)
        began = time.perf_counter()
        client.say(body["text"] + " ", language="en", voice="Annie")
        by_client.append(time.perf_counter() - began)
    return {"vs_client": statistics.median(by_http) / statistics.median(by_client)}


async def _followed(gateway: Any, client: Client, known: Settings) -> dict[str, float]:
    """Follow waiting jobs, by events and by WebSockets."""
    jobs = [_waiting(client, n) for n in range(JOBS)]
    limits = httpx2.Limits(max_connections=None)
    async with (
        AsyncExitStack() as stack,
        httpx2.AsyncClient(base_url=gateway.url, timeout=60, limits=limits) as http,
    ):
        # Calls of the workers and of the gateway itself, without watchers.
        alone = await _rate(known)
        for n in range(FOLLOWERS):
            path = f"/v1/jobs/{jobs[n % JOBS]}/events"
            answer = await stack.enter_async_context(http.stream("GET", path))
            await anext(answer.aiter_lines())
        for _ in range(SOCKETS):
            url = gateway.url.replace("http", "ws", 1)
            socket = await stack.enter_async_context(connect(f"{url}/ws", open_timeout=60))
            await socket.recv()
        calls = await _rate(known) - alone
        memory = _memory(gateway, NOW)
    return {
        "watchers_mb": memory,
        "redis_calls_per_watcher": calls / (FOLLOWERS + SOCKETS),
    }


def _waiting(client: Client, n: int) -> str:
    """Submit a job that no worker speaks; return its id."""
    segment = {"id": "1", "start": 0, "end": 5, "text": f"Waiting {n}."}
    manifest = Manifest.model_validate(
        {"id": f"waits-{n}", "language": "en", "engine": "tone", "segments": [segment]}
    )
    return client.submit(manifest).id


def _uploaded(gateway: Any) -> dict[str, float]:
    before = _memory(gateway, NOW)
    answer = gateway.http.post("/v1/uploads?name=film.mp4", content=_film(), timeout=300)
    answer.raise_for_status()
    return {"upload_growth_mb": _memory(gateway, PEAK) - before}


def _film() -> Iterator[bytes]:
    piece = bytes(PIECE)
    for _ in range(UPLOAD // PIECE):
        yield piece


async def _rate(known: Settings) -> float:
    """Return the calls to Redis a second."""
    with redis.from_url(known.redis) as server:
        before = _calls(server)
        await asyncio.sleep(LISTEN_SECONDS)
        return (_calls(server) - before) / LISTEN_SECONDS


def _calls(server: redis.Redis) -> int:
    found: Any = server.info("stats")
    # The number of commands would include those inside scripts.
    return int(found["total_reads_processed"])


def _memory(gateway: Any, kind: re.Pattern[str]) -> float:
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    found = kind.search(status)
    assert found
    return int(found[1]) / 1024
