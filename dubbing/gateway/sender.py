"""Sends the ends of jobs to webhooks: signed, in turn with other gateways, several at once.

A slow receiver delays only its own messages. A failed message is tried again for a day.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import httpx2
from standardwebhooks import Webhook as Signer

from dubbing.errors import BadInput, Conflict, DubbingError, NotFound
from dubbing.gateway.bodies import job_body
from dubbing.gateway.facts import Facts
from dubbing.jobs.status import ended_status
from dubbing.ledger import Ledger
from dubbing.storage import Storage
from dubbing.webhooks.outbox import Outbox, Outgoing
from dubbing.webhooks.webhook import Happening, Webhook, Webhooks

log = logging.getLogger(__name__)

LOOK_SECONDS = 1
"""Pause between two searches for due messages; one gateway searches each time."""
ANSWER_SECONDS = 15.0
"""Timeout of a receiver."""
TURN_SECONDS = 60
"""Time for which no other gateway sends a message in progress: longer than one try."""
AT_ONCE, AT_ONCE_EACH = 64, 4
"""Messages on their way: in all, and to one webhook."""


class Sender:
    """Sends the messages of the outbox."""

    def __init__(
        self, storage: Storage, ledger: Ledger, facts: Facts, transport: httpx2.AsyncBaseTransport
    ) -> None:
        """Take the transport that checks whom it connects to."""
        self._storage = storage
        self._ledger = ledger
        self._facts = facts
        self._outbox = Outbox(storage)
        self._webhooks = Webhooks(storage)
        self._client = httpx2.AsyncClient(
            transport=transport,
            trust_env=False,
            timeout=ANSWER_SECONDS,
            headers={"User-Agent": f"dubbing/{version('dubbing')}"},
        )
        self._busy: Counter[str] = Counter()
        """Messages on their way, by webhook."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def step(self) -> None:
        """Begin to send the messages that are due."""
        for key, message in await asyncio.to_thread(self._taken):
            self._busy[message.webhook] += 1
            task = asyncio.create_task(self._tell(key, message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Stop; another gateway sends the messages in progress again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def _taken(self) -> list[tuple[str, Outgoing]]:
        """Return due messages for this gateway to send now."""
        if not self._ledger.turn("outbox", LOOK_SECONDS):
            return []
        taken: list[tuple[str, Outgoing]] = []
        busy = self._busy.copy()
        for key, message in self._outbox.due():
            if busy.total() >= AT_ONCE:
                break
            free = busy[message.webhook] < AT_ONCE_EACH
            if free and self._ledger.turn(f"message:{message.id}", TURN_SECONDS):
                busy[message.webhook] += 1
                taken.append((key, message))
        return taken

    async def _tell(self, key: str, message: Outgoing) -> None:
        try:
            error = await self._told(message)
            if error is None:
                await asyncio.to_thread(self._outbox.told, key, message)
            else:
                log.info("webhook %s did not receive %s: %s", message.webhook, message.id, error)
                await asyncio.to_thread(self._outbox.fail, key, message, error)
        except NotFound:
            await asyncio.to_thread(self._outbox.drop, key)
        except DubbingError as exc:
            log.warning("webhook %s is tried again later: %s", message.webhook, exc)
        finally:
            self._busy[message.webhook] -= 1

    async def _told(self, message: Outgoing) -> str | None:
        """Send a message, unless it was sent before; return the reason of a failure, or None.

        Raises NotFound when the webhook, or the job, is gone.
        """
        if await asyncio.to_thread(self._outbox.is_told, message):
            return None
        try:
            webhook = await asyncio.to_thread(self._webhooks.find, message.tenant, message.webhook)
        except Conflict as exc:
            # Who restores it within a day has lost nothing.
            return str(exc)
        body = await asyncio.to_thread(self._body, message)
        try:
            answer = await self._client.post(
                webhook.url, content=body, headers=_signed(webhook, message, body)
            )
        except BadInput as exc:
            return str(exc)
        except httpx2.HTTPError as exc:
            return str(exc) or type(exc).__name__
        return None if answer.is_success else f"it answered with status {answer.status_code}"

    def _body(self, message: Outgoing) -> str:
        at = datetime.fromtimestamp(message.at, UTC)
        told: dict[str, Any] = {"type": message.event.value, "timestamp": at.isoformat()}
        if message.event is Happening.TEST:
            return json.dumps({**told, "data": {}})
        status = ended_status(self._storage, message.job, message.round)
        facts = self._facts.of(message.job, message.round)
        data = job_body(status, facts).model_dump(mode="json")
        return json.dumps({**told, "data": data})


def _signed(webhook: Webhook, message: Outgoing, body: str) -> dict[str, str]:
    """Return the headers of Standard Webhooks; by every secret that is valid now."""
    now = datetime.now(UTC)
    signatures = [Signer(secret).sign(message.id, now, body) for secret in webhook.valid_secrets]
    return {
        "content-type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
