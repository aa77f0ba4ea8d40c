"""The guard between the gateway and the addresses that its callers name.

A submitter of a job may name any URL. So the gateway calls only public addresses; otherwise callers
could reach the gateway's private network.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from pathlib import Path
from ssl import SSLContext
from typing import TypeAlias

import httpx2

from dubbing.errors import BadInput

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

PUBLIC = ip_network("2000::/3")
"""The part of IPv6 with public addresses."""
NAT64 = ip_network("64:ff9b::/96")
"""In this network the last four bytes are an IPv4 address."""
ASSIGNED = ip_network("192.0.0.0/24")
"""Addresses for protocols; older releases of Python call some of them global."""


class Guarded(httpx2.AsyncBaseTransport):
    """A transport that sends each request, also after a redirect, to a checked address.

    The name is not looked up again, so its owner cannot give another address after the check.
    """

    def __init__(self, trusted: SSLContext, allowed: Sequence[Network] = ()) -> None:
        """Open no connection yet.

        allowed: networks that may be reached although they are not public.
        """
        self._allowed = allowed
        # A kept connection to an address could be another name's.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._inner = httpx2.AsyncHTTPTransport(verify=trusted, trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; raises BadInput for a URL that is not allowed."""
        url = request.url
        if url.scheme != "https":
            raise BadInput("only https:// is asked, and so only redirects to it are followed")
        if url.userinfo:
            raise BadInput("leave the user and the password out of the URL")
        host = url.raw_host.decode("ascii")
        failed: httpx2.TransportError | None = None
        for address in await self._addresses(host, url.port or 443):
            try:
                return await self._inner.handle_async_request(
                    httpx2.Request(
                        request.method,
                        url.copy_with(host=str(address)),
                        # They hold the name, as Host.
                        headers=request.headers,
                        stream=request.stream,
                        extensions={**request.extensions, "sni_hostname": host.rstrip(".")},
                    )
                )
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as exc:
                failed = exc
        raise failed or httpx2.ConnectError("it has no address")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _addresses(self, host: str, port: int) -> list[Address]:
        """Return the addresses of a host; raises BadInput unless all of them are allowed."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            raise BadInput("there is no such host") from exc
        addresses = [ip_address(place[0]) for *_, place in found]
        if not all(self._may_be_asked(address) for address in addresses):
            raise BadInput("its host is not public")
        return addresses

    def _may_be_asked(self, address: Address) -> bool:
        return is_public(address) or any(address in network for network in self._allowed)


def trust(ca_file: Path | None) -> SSLContext:
    """Return the trusted authorities: the public ones, and those of a PEM file."""
    trusted = httpx2.create_ssl_context(trust_env=False)
    if ca_file:
        trusted.load_verify_locations(ca_file)
    return trusted


def is_public(address: Address) -> bool:
    """Whether an address is public, and of one host.

    An IPv6 address that stands for an IPv4 address counts as that address.
    """
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner:
            return is_public(inner)
        return address in PUBLIC and address.is_global
    return address.is_global and not address.is_multicast and address not in ASSIGNED
