"""Announcements from operators to all users."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import AwareDatetime, Field

from dubbing.documents import Document, Model, is_identifier, stored
from dubbing.errors import BadInput, Damaged, NewerRelease, NotFound
from dubbing.gateway.bodies import example
from dubbing.kept import Kept
from dubbing.storage import Keys, Storage, each

log = logging.getLogger(__name__)

KEPT_SECONDS = 10.0
"""Longest delay of announcements of other gateways."""


class Sort(StrEnum):
    """The type of an announcement."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    MAINTENANCE = "maintenance"


class AnnounceBody(Model):
    """An announcement to make."""

    model_config = example(
        type="maintenance",
        title="New cards tonight",
        message="Jobs wait from 22:00 to 23:00.",
        expires_at="2026-11-30T23:00:00Z",
    )

    type: Sort = Sort.INFO
    title: str = Field(min_length=1, max_length=200)
    message: str = Field(default="", max_length=5000)
    expires_at: AwareDatetime | None = None
    """After which it is removed; by default, it stays until it is deleted."""


class Announcement(Document):
    """An announcement as it is stored: ``announcements/<id>.json``."""

    id: str
    type: Sort
    title: str
    message: str
    created_at: datetime
    expires_at: datetime | None = None

    @property
    def expired(self) -> bool:
        """Whether it has expired."""
        return self.expires_at is not None and self.expires_at <= datetime.now(UTC)


class Announcements:
    """The announcements of an installation. Safe to use from several threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._kept: Kept[list[Announcement]] = Kept(self._stored, KEPT_SECONDS)

    def current(self) -> list[Announcement]:
        """Return the current announcements, the latest first."""
        return [one for one in self._kept.get() if not one.expired]

    def add(self, body: AnnounceBody) -> Announcement:
        """Store an announcement; raises BadInput for one that has expired already."""
        now = datetime.now(UTC)
        made = Announcement(id=secrets.token_hex(6), created_at=now, **body.model_dump())
        if made.expired:
            raise BadInput("it has passed: name a later moment", where="expires_at")
        self._storage.replace(Keys.announcement(made.id), made.model_dump_json().encode())
        self._kept.forget()
        return made

    def remove(self, id_: str) -> None:
        """Remove an announcement; raises NotFound."""
        if not is_identifier(id_) or not self._storage.exists(Keys.announcement(id_)):
            raise NotFound(f"there is no announcement {id_!r}")
        self._storage.delete(Keys.announcement(id_))
        self._kept.forget()

    def _stored(self) -> list[Announcement]:
        """Return the announcements in storage, and remove those that have expired."""
        found = filter(None, each(self._read, list(self._storage.keys(Keys.ANNOUNCEMENTS))))
        return sorted(found, key=lambda one: one.created_at, reverse=True)

    def _read(self, key: str) -> Announcement | None:
        try:
            found = stored(Announcement, self._storage.get(key), key)
            if not found.expired:
                return found
            self._storage.delete(key)
        except NotFound:
            # It was removed in this moment.
            return None
        except (Damaged, NewerRelease) as exc:
            log.warning("an announcement is skipped: %s", exc)
        return None
