"""Addresses and networks that commands take."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

import click

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class NetworkType(click.ParamType[Network]):
    """A network, such as 10.0.0.0/8, or one address."""

    name = "network"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Network:
        """Return the network; fails for anything else."""
        try:
            return ipaddress.ip_network(value, strict=False)
        except ValueError as exc:
            self.fail(f"{exc}: write it as 10.0.0.0/8", param, ctx)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
