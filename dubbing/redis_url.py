"""The URL of Redis: its forms and its parts.

``redis://``, ``rediss://`` (with TLS) and ``unix://`` name a server. ``sentinel://`` and
``sentinels://`` (with TLS) name Sentinels, which know the present master.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

SERVER_SCHEMES = frozenset({"redis", "rediss", "unix"})
SENTINEL_SCHEMES: Mapping[str, str] = {"sentinel": "redis", "sentinels": "rediss"}
"""The schemes of Sentinels, and the scheme of the servers that they name."""
DATABASE = re.compile(r"(?:/\d*)?")
"""The path of a server's URL: empty, or the number of a database."""
HOST = r"(?:\[[0-9a-fA-F:.]+\]|[^\s:/,@\[\]]+)(?::\d{1,5})?"
HOSTS = re.compile(f"{HOST}(?:,{HOST})*")
"""The Sentinels of a URL."""
MASTER = re.compile(r"/([^/]+)(?:/(\d*))?")
"""The path of a URL of Sentinels: the name of the master, and the number of a database."""
SENTINEL_PORT = 26379
OF_SENTINELS = "sentinel_"
"""Prefix of the options of a URL for the Sentinels, not the master."""
ESCAPES = "with %2F, %3F, %23 and %40 for /, ?, # and @ in the password"


@dataclass(frozen=True, kw_only=True)
class Sentinels:
    """The parts of a URL of Sentinels."""

    places: tuple[str, ...]
    """Host and port of each, as the URL has them."""
    master: str
    """The name under which they watch the master and its replicas."""
    credentials: Mapping[str, str]
    """Their own ``username`` and ``password``, if given."""
    server: str
    """The URL of a server with the user, the database and the options of the master; its host is
    that of a Sentinel."""

    @classmethod
    def of(cls, url: str) -> Sentinels | None:
        """Split a checked URL into its parts; None for the URL of a server."""
        parts = urlsplit(url)
        if parts.scheme not in SENTINEL_SCHEMES:
            return None
        user, at, hosts = parts.netloc.rpartition("@")
        found = MASTER.fullmatch(parts.path)
        if not found:
            raise ValueError("a URL of Sentinels names a master")
        options, own = {}, {}
        for name, value in parse_qsl(parts.query):
            if name.startswith(OF_SENTINELS):
                own[name.removeprefix(OF_SENTINELS)] = value
            else:
                options[name] = value
        query = f"?{urlencode(options)}" if options else ""
        scheme = SENTINEL_SCHEMES[parts.scheme]
        places = tuple(hosts.split(","))
        return cls(
            places=places,
            master=unquote(found[1]),
            credentials=own,
            server=f"{scheme}://{user}{at}{places[0]}/{found[2] or 0}{query}",
        )

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The host and the port of each Sentinel."""
        parts = (urlsplit(f"//{place}") for place in self.places)
        return [(part.hostname or "", part.port or SENTINEL_PORT) for part in parts]


def check(url: str) -> None:
    """Raise ValueError, which explains the forms, unless a URL has a valid form."""
    parts = urlsplit(url)
    if parts.scheme in SENTINEL_SCHEMES:
        hosts = parts.netloc.rpartition("@")[2]
        if not (HOSTS.fullmatch(hosts) and MASTER.fullmatch(parts.path)):
            raise ValueError(
                f"write it as {parts.scheme}://user:password@host:26379,host:26379/master/0, "
                f"{ESCAPES}"
            )
    elif parts.scheme in SERVER_SCHEMES:
        # urlsplit's message about a wrong port may hold a part of the password.
        with suppress(ValueError):
            if parts.port != 0 and (parts.scheme == "unix" or DATABASE.fullmatch(parts.path)):
                return
        raise ValueError(f"write it as redis://user:password@host:6379/0, {ESCAPES}")
    else:
        raise ValueError("begin it with redis://, rediss://, unix://, sentinel:// or sentinels://")


def with_password(url: str, password: str) -> str:
    """Return the URL of a server, or of Sentinels and their master, with a password if it has none.

    password: in any characters.
    """
    parts = urlsplit(url)
    if parts.scheme == "unix" or parts.password:
        return url
    user, _, hosts = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.rstrip(':')}:{quote(password, safe='')}@{hosts}").geturl()


def with_trust(url: str, authorities: Path | None) -> str:
    """Return a URL with the trusted certificates, if it uses TLS.

    authorities: PEM file of authorities to trust beside the public ones.
    """
    if urlsplit(url).scheme not in {"rediss", "sentinels"}:
        return url
    # Without this option, kombu would not check certificates.
    trust = {"ssl_ca_certs": str(authorities)} if authorities else {}
    options = urlencode({"ssl_cert_reqs": "required", **trust})
    before, _, named = url.partition("?")
    # The URL's own options come last, and win.
    return f"{before}?{options}&{named}" if named else f"{before}?{options}"


def secrets(url: str) -> list[str]:
    """Return the passwords of a URL."""
    parts = urlsplit(url)
    own = [value for name, value in parse_qsl(parts.query) if name.endswith("password")]
    return [*([parts.password] if parts.password else []), *own]


def redact(url: str) -> str:
    """Return a URL without its passwords."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
