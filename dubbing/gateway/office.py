"""The common parts of the routes: the client of the system, uploads, and followers of jobs."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from starlette.requests import HTTPConnection

from dubbing.client import Client
from dubbing.engines.engine import EngineSpec
from dubbing.gateway.announcements import Announcements
from dubbing.gateway.facts import Facts
from dubbing.gateway.follow import Following
from dubbing.gateway.manifests import Manifests
from dubbing.gateway.overview import Overview
from dubbing.gateway.pages.shell import Shell
from dubbing.gateway.people import People
from dubbing.gateway.pulse import Pulse
from dubbing.gateway.quotas import Quotas
from dubbing.gateway.roster import Roster
from dubbing.gateway.told import Told
from dubbing.job import Job
from dubbing.kept import Kept
from dubbing.settings import Settings
from dubbing.storage import Keys
from dubbing.submission.uploads import Uploads


@dataclass(frozen=True, kw_only=True)
class Office:
    """The parts of one gateway."""

    client: Client
    settings: Settings
    people: People
    facts: Facts
    following: Following
    manifests: Manifests
    quotas: Quotas
    uploads: Uploads
    roster: Roster
    announcements: Announcements
    overview: Overview
    pulse: Pulse
    specs: Kept[dict[str, EngineSpec]]
    """Cached specs of engines, for lines that are spoken at once: storage may be far."""
    shell: Shell
    told: Told
    metrics: CollectorRegistry

    def begin(self) -> None:
        """Start the background work; called on the event loop of the gateway."""
        self.following.begin()
        self.quotas.begin()

    async def end(self) -> None:
        """Disconnect listeners and followers, because the gateway ends."""
        await self.pulse.end()
        self.following.end()

    def admit(self, job: Job) -> None:
        """Charge a job to its tenant, unless it is stored already; raises LimitReached."""
        if not self.client.storage.exists(Keys.job(job.id)):
            self.quotas.charge(job.tenant, len(job.segments))


def office_of(connection: HTTPConnection) -> Office:
    """Return the parts of the gateway that serves a request."""
    office: Office = connection.app.state.office
    return office
