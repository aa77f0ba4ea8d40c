"""`/v1/webhooks`: URLs that get the ends of jobs, and their failed messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints

from dubbing.documents import Model
from dubbing.gateway.bodies import example
from dubbing.gateway.callers import Reader, Submitter
from dubbing.gateway.office import Office, office_of
from dubbing.gateway.refusals import documented
from dubbing.webhooks.outbox import Outbox, Outgoing
from dubbing.webhooks.webhook import Happening, Webhook, Webhooks

Id = Annotated[str, Path(max_length=100)]
ENDS = (Happening.COMPLETED, Happening.FAILED, Happening.CANCELLED)

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


class WebhookAsked(Model):
    """A webhook to make."""

    model_config = example(url="https://films.example/dubbed", events=["job.completed"])

    url: Annotated[str, StringConstraints(max_length=2000)]
    """Begins with ``https://``; its host has to be public."""
    events: list[Happening] = Field(default=list(ENDS), min_length=1, max_length=len(Happening))


class WebhookBody(Model):
    """A webhook."""

    id: str
    url: str
    events: list[Happening]
    created: datetime


class NewWebhookBody(WebhookBody):
    """A webhook with the secret that signs its messages; it is not shown again."""

    secret: str


class WebhooksBody(Model):
    """The webhooks of a tenant."""

    webhooks: list[WebhookBody]


class MessageBody(Model):
    """A message to a webhook."""

    id: str
    """As in the header ``webhook-id``."""
    event: Happening
    job: str
    round: int
    at: datetime
    tries: int
    error: str
    """Why the last try failed."""


class MessagesBody(Model):
    """Messages to a webhook."""

    messages: list[MessageBody]


@router.post("", status_code=201, responses=documented())
def make(request: Request, caller: Submitter, body: WebhookAsked) -> NewWebhookBody:
    """Make a webhook. Its messages are signed as in Standard Webhooks."""
    return _new(_webhooks(request).make(caller.tenant, body.url, body.events))


@router.get("", responses=documented())
def webhooks(request: Request, caller: Reader) -> WebhooksBody:
    """List the webhooks."""
    return WebhooksBody(webhooks=[_body(one) for one in _webhooks(request).all(caller.tenant)])


@router.delete("/{webhook_id}", status_code=204, responses=documented(404))
def delete(request: Request, caller: Submitter, webhook_id: Id) -> Response:
    """Delete a webhook and its unsent messages."""
    _webhooks(request).delete(caller.tenant, webhook_id)
    return Response(status_code=204)


@router.post("/{webhook_id}/rotate", responses=documented(404, 409))
def rotate(request: Request, caller: Submitter, webhook_id: Id) -> NewWebhookBody:
    """Give a webhook a new secret; for a day, the old one also signs."""
    return _new(_webhooks(request).rotate(caller.tenant, webhook_id))


@router.post("/{webhook_id}/test", status_code=202, responses=documented(404, 409))
def test(request: Request, caller: Submitter, webhook_id: Id) -> MessageBody:
    """Send a webhook the event `test`."""
    webhook = _webhooks(request).find(caller.tenant, webhook_id)
    return _message(_outbox(request).test(webhook))


@router.get("/{webhook_id}/dead", responses=documented(404, 409))
def dead(request: Request, caller: Reader, webhook_id: Id) -> MessagesBody:
    """List the messages that a webhook did not receive within a day."""
    webhook = _webhooks(request).find(caller.tenant, webhook_id)
    found = _outbox(request).dead(caller.tenant, webhook.id)
    return MessagesBody(messages=[_message(one) for one in found])


@router.post(
    "/{webhook_id}/dead/{message_id}/resend", status_code=202, responses=documented(404, 409)
)
def resend(request: Request, caller: Submitter, webhook_id: Id, message_id: Id) -> MessageBody:
    """Send a dead message again, for another day."""
    webhook = _webhooks(request).find(caller.tenant, webhook_id)
    return _message(_outbox(request).resend(caller.tenant, webhook.id, message_id))


def _office(request: Request) -> Office:
    return office_of(request)


def _webhooks(request: Request) -> Webhooks:
    return Webhooks(_office(request).client.storage)


def _outbox(request: Request) -> Outbox:
    return Outbox(_office(request).client.storage)


def _body(webhook: Webhook) -> WebhookBody:
    return WebhookBody(
        id=webhook.id,
        url=webhook.url,
        events=list(webhook.events),
        created=datetime.fromtimestamp(webhook.created, UTC),
    )


def _new(webhook: Webhook) -> NewWebhookBody:
    return NewWebhookBody(**_body(webhook).model_dump(), secret=webhook.secrets[0].text)


def _message(message: Outgoing) -> MessageBody:
    return MessageBody(
        id=message.id,
        event=message.event,
        job=message.job,
        round=message.round,
        at=datetime.fromtimestamp(message.at, UTC),
        tries=message.tries,
        error=message.error,
    )
