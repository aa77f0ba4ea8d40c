"""Calls to a store: their time and their errors are counted, and obstore's errors become ours."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import obstore
from obstore.exceptions import BaseError
from obstore.exceptions import NotFoundError as ObjectNotFound
from obstore.store import ObjectStore

from dubbing.errors import DubbingError, NotFound, StorageRefused, StorageUnavailable
from dubbing.storage.keys import Keys
from dubbing.storage.s3_refusal import Refusal, refusal_in, summary_of
from dubbing.telemetry.metrics import STORAGE_ERRORS, STORAGE_SECONDS

WORDLESS = re.compile(r"performing HEAD .*status code: 40[013] ")
"""A refusal without a body, and so without an error code."""
BEYOND = re.compile(r"Requested range was invalid|status code: 416 ")
"""The answer of a folder, or of a bucket, where an object ends before a range of it begins."""


@contextmanager
def call(
    store: ObjectStore, url: str, key: str, operation: str, *, timed: bool = True
) -> Iterator[None]:
    """Make a call in the block; raises NotFound, StorageRefused and StorageUnavailable.

    operation: for metrics. timed: whether only storage takes time in the block.
    """
    began = time.perf_counter()
    try:
        yield
    except (BaseError, OSError) as exc:
        error = _error(store, url, key, exc)
        if not isinstance(error, NotFound):
            STORAGE_ERRORS.add(operation, error.code)
        raise error from exc
    finally:
        if timed:
            STORAGE_SECONDS.observe(time.perf_counter() - began, operation)


def lay_beyond(exc: StorageUnavailable) -> bool:
    """Whether a call failed because its range begins where the object has ended."""
    return bool(BEYOND.search(str(exc.__cause__)))


def _error(store: ObjectStore, url: str, key: str, exc: BaseException) -> DubbingError:
    """Return our error for one of obstore's."""
    if refusal := _refusal(store, exc):
        return StorageRefused(f"{url} refuses {key!r}: {refusal}")
    if isinstance(exc, ObjectNotFound | FileNotFoundError):
        return NotFound(f"storage holds no {key!r}")
    return StorageUnavailable(f"storage failed at {key!r}: {summary_of(exc)}")


def _refusal(store: ObjectStore, exc: BaseException) -> Refusal | None:
    """Return why S3 refuses; after an answer without a body, ask again with a listing."""
    text = str(exc)
    if "<Code>" not in text and WORDLESS.search(text):
        try:
            next(iter(obstore.list(store, Keys.OPEN.rstrip("/"), chunk_size=1)), None)
        except BaseError as listing:
            return refusal_in(str(listing)) or refusal_in(text)
    return refusal_in(text)
