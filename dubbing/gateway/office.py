"""What the routes share: the client of the system, uploads, and who follows which job."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from dubbing.client import Client
from dubbing.gateway.facts import Facts
from dubbing.gateway.follow import Following
from dubbing.gateway.manifests import Manifests
from dubbing.gateway.quotas import Quotas
from dubbing.settings import Settings
from dubbing.submission.uploads import Uploads


@dataclass(frozen=True, kw_only=True)
class Office:
    """The parts of one gateway."""

    client: Client
    settings: Settings
    facts: Facts
    following: Following
    manifests: Manifests
    quotas: Quotas
    uploads: Uploads


def office_of(connection: HTTPConnection) -> Office:
    """Return the parts of the gateway that serves a request."""
    office: Office = connection.app.state.office
    return office
