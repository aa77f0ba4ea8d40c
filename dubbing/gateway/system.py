"""`/api/status` and `/api/announcements`: the state of the system, and announcements."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from dubbing.documents import Model
from dubbing.gateway.announcements import AnnounceBody, Announcement
from dubbing.gateway.callers import Admin, Reader
from dubbing.gateway.office import office_of
from dubbing.gateway.overview import StatusBody
from dubbing.gateway.refusals import documented

router = APIRouter(tags=["system"])


class AnnouncementsBody(Model):
    """The current announcements, the latest first."""

    announcements: list[Announcement]


@router.get("/api/status", responses=documented())
def status(request: Request, caller: Reader) -> StatusBody:
    """Return the state of the system: open jobs, nodes, queues, and engines that have a node."""
    return office_of(request).overview.look().as_seen_by(caller)


@router.get("/api/announcements", responses=documented())
def announcements(request: Request, caller: Reader) -> AnnouncementsBody:
    """List the current announcements, the latest first."""
    return AnnouncementsBody(announcements=office_of(request).announcements.current())


@router.post("/api/announcements", status_code=201, responses=documented())
def announce(request: Request, caller: Admin, body: AnnounceBody) -> Announcement:
    """Publish an announcement to all callers; listeners at `/ws` get it within seconds."""
    return office_of(request).announcements.add(body)


@router.delete("/api/announcements/{announcement_id}", status_code=204, responses=documented(404))
def remove(
    request: Request, caller: Admin, announcement_id: Annotated[str, Path(max_length=200)]
) -> None:
    """Delete an announcement."""
    office_of(request).announcements.remove(announcement_id)
