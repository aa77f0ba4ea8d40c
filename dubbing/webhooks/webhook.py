"""A webhook: a tenant's URL that is notified of the ends of jobs, as Standard Webhooks defines."""

from __future__ import annotations

import base64
import logging
import secrets
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from dubbing.documents import Document, Identifier, stored
from dubbing.errors import BadInput, Conflict, Damaged, NewerRelease, NotFound
from dubbing.storage import Keys, Storage, each

log = logging.getLogger(__name__)

ROTATION_SECONDS = 24 * 3600.0
"""Seconds for which the old secret still signs."""
MOST = 20
"""Most webhooks of one tenant."""

WebhookId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]


class Happening(StrEnum):
    """The events of a webhook."""

    COMPLETED = "job.completed"
    FAILED = "job.failed"
    CANCELLED = "job.cancelled"
    TEST = "test"


class Secret(Document):
    """A secret that signs messages."""

    text: str = Field(repr=False)
    """``whsec_`` and the secret in Base64."""
    until: float | None = None
    """Seconds since 1970; None for the newest one."""


class Webhook(Document):
    """A webhook as it is stored: ``webhooks/<tenant>/<id>.json``."""

    id: WebhookId
    tenant: Identifier
    url: Annotated[str, StringConstraints(max_length=2000)]
    events: tuple[Happening, ...] = (Happening.COMPLETED, Happening.FAILED, Happening.CANCELLED)
    secrets: tuple[Secret, ...]
    """The newest first."""
    created: float
    """Seconds since 1970."""

    @property
    def valid_secrets(self) -> list[str]:
        """The secrets that are valid now, the newest first."""
        now = time.time()
        return [one.text for one in self.secrets if one.until is None or one.until > now]


class Webhooks:
    """The webhooks of one installation. Safe to use from several threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def make(self, tenant: str, url: str, events: Sequence[Happening]) -> Webhook:
        """Make a webhook; raises BadInput for a URL without https, or one too many."""
        if not url.startswith("https://"):
            raise BadInput("begin it with https://", where="url")
        if len(self.all(tenant)) >= MOST:
            raise BadInput(f"a tenant has at most {MOST} webhooks: delete one first")
        webhook = Webhook(
            id=secrets.token_hex(12),
            tenant=tenant,
            url=url,
            events=tuple(dict.fromkeys(events)),
            secrets=(_new_secret(),),
            created=time.time(),
        )
        self._write(webhook)
        return webhook

    def find(self, tenant: str, id_: str) -> Webhook:
        """Return a webhook of a tenant; raises NotFound, and Conflict for a damaged one."""
        key = Keys.webhook(tenant, id_)
        try:
            return stored(Webhook, self._storage.get(key), key)
        except (NotFound, BadInput) as exc:
            raise _missing(id_) from exc
        except Damaged as exc:
            words = f"webhook {id_[:40]!r} is damaged: delete it, and make another one"
            raise Conflict(words) from exc

    def all(self, tenant: str) -> list[Webhook]:
        """Return the webhooks of a tenant, the oldest first.

        Damaged webhooks, and webhooks of a newer release, are logged and left out.
        """
        prefix, ends = Keys.webhooks(tenant), ".json"
        names = (key.removeprefix(prefix) for key in self._storage.keys(prefix))

        def load(id_: str) -> Webhook | None:
            try:
                return self.find(tenant, id_)
            except NotFound:
                # It was deleted meanwhile.
                return None
            except (Conflict, NewerRelease) as exc:
                log.warning("a webhook of tenant %s is ignored: %s", tenant, exc)
                return None

        found = each(load, [name.removesuffix(ends) for name in names if name.endswith(ends)])
        return sorted((one for one in found if one), key=lambda one: one.created)

    def rotate(self, tenant: str, id_: str) -> Webhook:
        """Give a webhook a new secret; the old one also signs for a day."""
        webhook = self.find(tenant, id_)
        before = Secret(text=webhook.secrets[0].text, until=time.time() + ROTATION_SECONDS)
        rotated = webhook.model_copy(update={"secrets": (_new_secret(), before)})
        self._write(rotated)
        return rotated

    def delete(self, tenant: str, id_: str) -> None:
        """Delete a webhook, damaged or not; its messages are dropped when they are due.

        Raises NotFound.
        """
        key = Keys.webhook(tenant, id_)
        try:
            there = self._storage.exists(key)
        except BadInput as exc:
            raise _missing(id_) from exc
        if not there:
            raise _missing(id_)
        self._storage.delete(key)

    def _write(self, webhook: Webhook) -> None:
        key = Keys.webhook(webhook.tenant, webhook.id)
        self._storage.replace(key, webhook.model_dump_json().encode())


def _missing(id_: str) -> NotFound:
    return NotFound(f"there is no webhook {id_[:40]!r}")


def _new_secret() -> Secret:
    return Secret(text=f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}")
