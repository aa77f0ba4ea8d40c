"""Access to buckets: its options, and the store of an ``s3://`` URL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.store import S3Store

from dubbing.errors import BadInput

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

REQUEST_SECONDS = 30.0
"""Longest time for one request to a bucket, with its payload."""
RETRY_SECONDS = 15.0
"""A request is not retried after this time.

A call takes at most this and one request, so that an outage is reported within a batch's deadline.
"""
BUCKET = re.compile(r"[\w.-]+", re.ASCII)
CONNECT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class S3Options:
    """Options that an ``s3://`` URL does not hold."""

    endpoint: str | None = None
    region: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    ca_file: Path | None = None
    """PEM file of certificate authorities that are trusted beside the public ones."""
    granted: Sequence[str] = ()
    """Places beside the storage's own bucket from which jobs may read media, as
    ``s3://bucket/prefix``."""
    targets: Sequence[str] = ()
    """Places to which jobs may have results delivered, as ``s3://bucket/prefix``."""


def lies_in(url: str, places: Iterable[str]) -> bool:
    """Whether an ``s3://`` URL lies at or below one of the places."""
    return any(f"{url}/".startswith(f"{place.rstrip('/')}/") for place in places)


def s3_store(url: str, options: S3Options, seconds: float | None = None) -> S3Store:
    """Return the store of a URL.

    seconds: time limit of a request and its retries; by default `REQUEST_SECONDS`, `RETRY_SECONDS`.
    """
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not BUCKET.fullmatch(bucket):
        raise BadInput("name a bucket: s3://bucket/prefix", where=f"storage {url!r}")
    config: S3Config = {"bucket": bucket, "region": options.region or "us-east-1"}
    # Without a key here, obstore looks for one where Amazon's tools do.
    if options.endpoint:
        config["endpoint"] = _web_address(options.endpoint)
    if options.access_key_id:
        config["access_key_id"] = options.access_key_id
    if options.secret_access_key:
        config["secret_access_key"] = options.secret_access_key
    written = "".join(map(str, config.values()))
    if not (written.isascii() and written.isprintable()):
        raise BadInput("a key, the region or the endpoint has an invalid character", where="S3")
    trust: ClientConfig = {}
    if options.ca_file:
        trust["root_certificate"] = options.ca_file.read_bytes()
    return S3Store(
        prefix=prefix or None,
        config=config,
        client_options={
            "allow_http": (options.endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=seconds or CONNECT_SECONDS),
            "timeout": timedelta(seconds=seconds or REQUEST_SECONDS),
            **trust,
        },
        retry_config={
            "max_retries": 5,
            "retry_timeout": timedelta(seconds=seconds or RETRY_SECONDS),
        },
    )


def origin_of(url: str, options: S3Options) -> str:
    """Return the origin of links to a bucket, such as ``https://s3.example:9000``; asks nobody."""
    # The keys, for which obstore might ask Amazon's servers, are no part of it.
    keyed = replace(options, access_key_id="any", secret_access_key="any")  # noqa: S106 - it opens nothing
    store = s3_store(url, keyed)
    link = urlsplit(obstore.sign(store, "GET", "any", timedelta(seconds=1)))
    return f"{link.scheme}://{link.netloc.rpartition('@')[2]}"


def _web_address(endpoint: str) -> str:
    """Return ``endpoint``; raises BadInput unless it is a web address."""
    with suppress(ValueError):
        parts = urlsplit(endpoint)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return endpoint
    raise BadInput("write it as http://host:port or https://host", where="DUBBING_S3_ENDPOINT")
