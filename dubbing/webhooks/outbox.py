"""The outbox: the unsent messages to webhooks, kept in storage so that none is lost.

A message is an object whose key begins with its due time. A message is postponed by writing it
under a later time and then removing the earlier object. If the process dies in between, the message
is sent twice with the same id, by which the receiver can recognise the duplicate.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Iterator

from dubbing.documents import Document, Identifier, stored
from dubbing.errors import BadInput, Damaged, NewerRelease, NotFound
from dubbing.storage import Keys, Storage
from dubbing.webhooks.webhook import Happening, Webhook, WebhookId, Webhooks

log = logging.getLogger(__name__)

RETRY_SECONDS = (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 8 * 3600, 8 * 3600)
"""Pauses between tries, in seconds, a day in total. A message that fails after the last is dead."""


class Outgoing(Document):
    """A message to one webhook."""

    id: str
    """The same at each try."""
    webhook: WebhookId
    tenant: Identifier
    event: Happening
    job: str = ""
    round: int = 0
    at: float
    """When it happened, in seconds since 1970."""
    tries: int = 0
    """Number of earlier tries."""
    error: str = ""
    """Why the last try failed."""


class Outbox:
    """The outbox of one installation. Safe to use from several threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._left: set[str] = set()
        """Messages of newer releases; each is logged once."""

    def announce(self, tenant: str, event: Happening, job: str, round_: int, at: float) -> None:
        """Queue the messages about the end of a round to a tenant's webhooks; idempotent.

        at: when the round ended, in seconds since 1970.
        """
        for webhook in Webhooks(self._storage).all(tenant):
            if event in webhook.events:
                digest = hashlib.sha256(f"{webhook.id}|{job}|{round_}|{event}".encode()).hexdigest()
                self._put(_message(webhook, event, f"msg_{digest[:24]}", job, round_, at), at)

    def test(self, webhook: Webhook) -> Outgoing:
        """Queue a test message to a webhook, and return the message."""
        now = time.time()
        message = _message(webhook, Happening.TEST, f"msg_{secrets.token_hex(12)}", "", 0, now)
        self._put(message, now)
        return message

    def due(self) -> Iterator[tuple[str, Outgoing]]:
        """Yield the due messages, the oldest first, each with its key.

        A message that only a newer release can read is left for its gateways; a damaged one is
        dropped.
        """
        now = f"{time.time() * 1000:013.0f}"
        for key in sorted(self._storage.keys(Keys.OUTBOX)):
            if key.removeprefix(Keys.OUTBOX).partition("-")[0] > now:
                return
            try:
                yield key, stored(Outgoing, self._storage.get(key), key)
            except NotFound:
                continue
            except NewerRelease as exc:
                if key not in self._left:
                    self._left.add(key)
                    log.warning("a message is left for a newer gateway: %s", exc)
            except Damaged as exc:
                log.warning("a message is dropped: %s", exc)
                self._storage.delete(key)

    def is_told(self, message: Outgoing) -> bool:
        """Whether a message was already sent."""
        return self._storage.exists(Keys.told(message.tenant, message.webhook, message.id))

    def told(self, key: str, message: Outgoing) -> None:
        """Mark a message as sent."""
        self._storage.create(Keys.told(message.tenant, message.webhook, message.id), b"")
        self._storage.delete(key)

    def drop(self, key: str) -> None:
        """Drop a message whose webhook is gone."""
        self._storage.delete(key)

    def fail(self, key: str, message: Outgoing, error: str) -> None:
        """Postpone a failed message, or declare it dead after a day."""
        failed = message.model_copy(update={"tries": message.tries + 1, "error": error[:300]})
        if message.tries < len(RETRY_SECONDS):
            self._put(failed, time.time() + RETRY_SECONDS[message.tries])
        else:
            dead = Keys.dead(message.tenant, message.webhook, message.id)
            self._storage.replace(dead, failed.model_dump_json().encode())
        self._storage.delete(key)

    def dead(self, tenant: str, webhook: str) -> list[Outgoing]:
        """Return the messages that a webhook did not receive in a day, the oldest first.

        Unreadable messages are left out.
        """
        keys = self._storage.keys(Keys.dead(tenant, webhook))
        found = (message for key in keys if (message := self._read(key)))
        return sorted(found, key=lambda message: message.at)

    def resend(self, tenant: str, webhook: str, id_: str) -> Outgoing:
        """Send a dead message again, for another day.

        Raises NotFound, also for a damaged message, and NewerRelease.
        """
        key = Keys.dead(tenant, webhook, id_)
        try:
            message = stored(Outgoing, self._storage.get(key), key)
        except (NotFound, BadInput) as exc:
            raise NotFound(f"there is no dead message {id_[:40]!r}") from exc
        except Damaged as exc:
            raise NotFound(f"the dead message {id_[:40]!r} is damaged: it cannot be sent") from exc
        again = message.model_copy(update={"tries": 0})
        self._put(again, time.time())
        self._storage.delete(key)
        return again

    def _read(self, key: str) -> Outgoing | None:
        try:
            return stored(Outgoing, self._storage.get(key), key)
        except NotFound:
            # It was sent again meanwhile.
            return None
        except (Damaged, NewerRelease) as exc:
            log.warning("a dead message is ignored: %s", exc)
            return None

    def _put(self, message: Outgoing, due: float) -> None:
        self._storage.create(Keys.outgoing(due, message.id), message.model_dump_json().encode())


def _message(
    webhook: Webhook, event: Happening, id_: str, job: str, round_: int, at: float
) -> Outgoing:
    return Outgoing(
        id=id_, webhook=webhook.id, tenant=webhook.tenant, event=event, job=job, round=round_, at=at
    )
