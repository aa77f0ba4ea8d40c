"""Media from the web: fetched under guard, and stored as an upload is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from urllib.parse import urlsplit

import httpx2

from dubbing.errors import BadInput
from dubbing.gateway.guard import Guarded, Network, trust
from dubbing.gateway.refusals import LimitReached
from dubbing.storage import Storage
from dubbing.submission.arrival import Arrival, arriving

HTTPS = "https://"
LARGEST = 16 << 30
"""Bytes of the largest file that is fetched."""
SILENCE_SECONDS = 30.0
"""Timeout of a server: to connect, to answer, and between two pieces."""
TOTAL_SECONDS = 900.0
REDIRECTS = 5
AT_ONCE = 16
"""Files that are fetched at the same time; each takes one of the threads of the gateway."""
PIECE = 1 << 20


class Fetching:
    """Fetches files from the web into storage. Safe to use from several threads."""

    def __init__(
        self, storage: Storage, ca_file: Path | None = None, *, allowed: Sequence[Network] = ()
    ) -> None:
        """Fetch nothing yet.

        ca_file: PEM file of certificate authorities that are trusted beside the public ones.
        allowed: networks that may be reached although they are not public; for tests.
        """
        self._storage = storage
        self._trusted = trust(ca_file)
        self._allowed = allowed
        self._turns = BoundedSemaphore(AT_ONCE)

    def fetch(self, url: str) -> str:
        """Return the storage key of the file at a URL, which is stored if it is new.

        Raises BadInput, which names the URL as `shown` does, and LimitReached.
        """
        if not self._turns.acquire(blocking=False):
            raise LimitReached(
                f"{AT_ONCE} files are being fetched: try again later, or upload the file",
                retry_after=SILENCE_SECONDS,
            )
        try:
            with arriving() as arrival, _explained(url):
                # In its own loop, so that all steps, name lookup too, have one time limit.
                asyncio.run(self._fill(arrival, url))
                return arrival.store(self._storage)
        finally:
            self._turns.release()

    async def _fill(self, arrival: Arrival, url: str) -> None:
        # No proxy, .netrc or cookie of the machine's.
        async with (
            asyncio.timeout(TOTAL_SECONDS),
            httpx2.AsyncClient(
                transport=Guarded(self._trusted, self._allowed),
                trust_env=False,
                follow_redirects=True,
                max_redirects=REDIRECTS,
                timeout=SILENCE_SECONDS,
                headers={"Accept-Encoding": "identity", "User-Agent": "dubbing"},
            ) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != 200:
                raise BadInput(f"its server answers with status {answer.status_code}")
            told = answer.headers.get("content-length", "")
            _check_size(int(told) if told.isdecimal() else 0)
            async for piece in answer.aiter_raw(PIECE):
                _check_size(arrival.bytes + len(piece))
                arrival.add(piece)
        if not arrival.bytes:
            raise BadInput("it is empty")


def shown(url: str) -> str:
    """Return a URL without secrets: without query, fragment, user and password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return HTTPS
    return f"{HTTPS}{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise BadInput(f"it has more than {LARGEST >> 30} GiB")


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn all errors of a fetch into BadInput that names the URL."""
    where = shown(url)
    try:
        yield
    except BadInput as exc:
        raise BadInput(exc.message, where=where) from exc
    except httpx2.TimeoutException as exc:
        words = f"its server is silent for {SILENCE_SECONDS:.0f} s"
        raise BadInput(words, where=where) from exc
    except TimeoutError as exc:
        words = f"it takes longer than {TOTAL_SECONDS / 60:.0f} minutes: upload the file instead"
        raise BadInput(words, where=where) from exc
    except httpx2.TooManyRedirects as exc:
        raise BadInput(f"it is redirected more than {REDIRECTS} times", where=where) from exc
    except httpx2.InvalidURL as exc:
        raise BadInput("it is no URL", where=where) from exc
    except httpx2.HTTPError as exc:
        why = str(exc) or type(exc).__name__
        raise BadInput(f"it cannot be fetched: {why}", where=where) from exc
