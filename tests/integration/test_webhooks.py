"""Webhooks: a real receiver over TLS is told of the ends of jobs, once, signed, and in the end."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Signer
from standardwebhooks.webhooks import WebhookVerificationError
from system import stored_job
from tls import CERTIFICATE, tls_before

from dubbing.errors import Conflict, NotFound
from dubbing.gateway.facts import Facts
from dubbing.gateway.guard import Guarded, trust
from dubbing.gateway.repeat import repeated
from dubbing.gateway.sender import AT_ONCE_EACH, LOOK_SECONDS, Sender
from dubbing.job import JobState
from dubbing.jobs.rounds import end_round
from dubbing.jobs.store import End
from dubbing.ledger import Ledger
from dubbing.storage import Keys, Storage
from dubbing.webhooks import outbox as outboxes
from dubbing.webhooks.outbox import Outbox
from dubbing.webhooks.webhook import Happening, Webhook, Webhooks

SECONDS = 20.0
ALL = (Happening.COMPLETED, Happening.FAILED, Happening.CANCELLED)


@dataclass
class Receiver:
    """A receiver of webhooks; it answers with the statuses in turn, and then with 204."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    told: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    slow: threading.Event = field(default_factory=threading.Event)
    """Until it is set, requests below ``/slow`` wait."""
    held: list[bytes] = field(default_factory=list)
    """The bodies of those that have come."""


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/slow":
                found.held.append(body)
                found.slow.wait(SECONDS)
            found.told.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(found.statuses.pop(0) if found.statuses else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        with tls_before(server.server_port, tmp_path) as port:
            found.url = f"https://127.0.0.1:{port}"
            yield found
        found.slow.set()
        server.shutdown()


@dataclass
class Post:
    """Storage, Redis, and senders that tell what is in the outbox."""

    storage: Storage
    ledger: Ledger
    certificate: Path

    def webhook(self, url: str) -> Webhook:
        return Webhooks(self.storage).make("default", url, ALL)

    def end(self, name: str, state: JobState = JobState.COMPLETED) -> None:
        """End the first round of a stored job."""
        job = stored_job(name, "A line.")
        self.storage.create(Keys.job(name), job.model_dump_json().encode())
        end_round(self.storage, self.ledger, name, End(state=state, round=1, lines=1, done=1))

    def until(self, done: Callable[[], object], *, senders: int = 1, public: bool = False) -> None:
        """Run senders until something holds."""
        asyncio.run(self._until(done, senders, public))

    async def _until(self, done: Callable[[], object], senders: int, public: bool) -> None:
        facts = Facts(self.storage)
        allowed = () if public else (ip_network("127.0.0.0/8"),)
        running = [
            Sender(self.storage, self.ledger, facts, Guarded(trust(self.certificate), allowed))
            for _ in range(senders)
        ]
        deadline = time.monotonic() + SECONDS
        async with AsyncExitStack() as stack:
            for sender in running:
                stack.push_async_callback(sender.end)
                await stack.enter_async_context(repeated("sender", sender.step, LOOK_SECONDS))
            while not await asyncio.to_thread(done):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)

    def empty(self) -> bool:
        """Whether nothing is left to be told."""
        return next(self.storage.keys(Keys.OUTBOX), None) is None


@pytest.fixture
def post(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Post:
    monkeypatch.setattr(outboxes, "RETRY_SECONDS", (0, 0))
    monkeypatch.setattr("dubbing.gateway.sender.TURN_SECONDS", 1)
    storage = Storage.at(str(tmp_path / "storage"))
    return Post(storage, Ledger(redis_url), tmp_path / CERTIFICATE)


def test_an_end_is_told_once_signed_though_two_gateways_send(
    post: Post, receiver: Receiver
) -> None:
    webhook = post.webhook(f"{receiver.url}/hook")
    post.end("a")
    post.end("a")
    post.until(post.empty, senders=2)
    ((headers, body),) = receiver.told
    told = Signer(webhook.secrets[0].text).verify(body, headers)
    assert (told["type"], told["data"]["id"]) == ("job.completed", "a")
    assert told["data"]["lines"] == {"total": 1, "done": 1, "failed": 0}
    with pytest.raises(WebhookVerificationError):
        Signer(webhook.secrets[0].text).verify(body + b" ", headers)
    # Somebody who was late to end the job tells nobody again.
    post.end("a")
    post.until(post.empty)
    assert len(receiver.told) == 1


def test_a_receiver_that_fails_is_told_again_under_the_same_id(
    post: Post, receiver: Receiver
) -> None:
    post.webhook(f"{receiver.url}/hook")
    receiver.statuses[:] = [500, 302]
    post.end("a", JobState.FAILED)
    post.until(post.empty)
    assert len(receiver.told) == 3
    assert len({headers["webhook-id"] for headers, _ in receiver.told}) == 1


def test_what_cannot_be_told_is_kept_and_sent_again_when_asked(
    post: Post, receiver: Receiver
) -> None:
    webhook, outbox = post.webhook(f"{receiver.url}/hook"), Outbox(post.storage)
    receiver.statuses[:] = [503] * 3
    post.end("a", JobState.CANCELLED)
    post.until(post.empty)
    for name, text in {"cut": b"{", "newer": b'{"format": 99}'}.items():
        post.storage.create(Keys.dead("default", webhook.id, name), text)
    (dead,) = outbox.dead("default", webhook.id)
    assert (dead.event, dead.job, dead.tries) == (Happening.CANCELLED, "a", 3)
    assert "503" in dead.error
    with pytest.raises(NotFound, match="'cut' is damaged"):
        outbox.resend("default", webhook.id, "cut")
    outbox.resend("default", webhook.id, dead.id)
    post.until(post.empty)
    assert outbox.dead("default", webhook.id) == []
    assert json.loads(receiver.told[-1][1])["type"] == "job.cancelled"
    with pytest.raises(NotFound):
        outbox.resend("default", webhook.id, dead.id)


def test_a_message_that_cannot_be_read_holds_up_no_other(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    newer, cut = (Keys.outgoing(1, name) for name in ("newer", "cut"))
    post.storage.create(newer, b'{"format": 99}')
    post.storage.create(cut, b"{")
    outbox, webhook = Outbox(post.storage), post.webhook("https://films.example/hook")
    outbox.test(webhook)
    for _ in range(2):
        assert [message.event for _, message in outbox.due()] == [Happening.TEST]
    assert (post.storage.exists(newer), post.storage.exists(cut)) == (True, False)
    assert caplog.text.count("left for a newer gateway") == 1


def test_a_damaged_webhook_is_named_can_be_deleted_and_holds_up_no_other(
    post: Post, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    damaged, well = (post.webhook(f"{receiver.url}/{name}") for name in ("damaged", "well"))
    webhooks, outbox = Webhooks(post.storage), Outbox(post.storage)
    outbox.test(damaged)
    post.storage.replace(Keys.webhook("default", damaged.id), b"{")
    post.end("a")
    post.until(post.empty)
    assert [json.loads(body)["type"] for _, body in receiver.told] == ["job.completed"]
    (dead,) = outbox.dead("default", damaged.id)
    words = f"webhook '{damaged.id}' is damaged: delete it, and make another one"
    assert dead.error == words
    assert webhooks.all("default") == [well]
    assert words in caplog.text
    with pytest.raises(Conflict, match=words):
        webhooks.rotate("default", damaged.id)
    webhooks.delete("default", damaged.id)
    for name in (damaged.id, "../other"):
        with pytest.raises(NotFound, match="there is no webhook"):
            webhooks.delete("default", name)


def test_a_slow_receiver_holds_up_no_other(post: Post, receiver: Receiver) -> None:
    post.webhook(f"{receiver.url}/slow")
    for n in range(6):
        post.end(f"slow-{n}")
    post.webhook(f"{receiver.url}/hook")
    post.end("quick")
    quick = [{"type": "job.completed", "id": "quick"}]

    def told() -> list[dict[str, str]]:
        bodies = [json.loads(body) for _, body in receiver.told]
        return [{"type": one["type"], "id": one["data"]["id"]} for one in bodies]

    # A request that ends in the middle of the handshake would leave its socket open.
    post.until(lambda: told() == quick and len(receiver.held) == AT_ONCE_EACH)
    receiver.slow.set()


def test_an_address_that_is_not_public_is_never_asked(post: Post, receiver: Receiver) -> None:
    webhook = post.webhook(f"{receiver.url}/hook")
    Outbox(post.storage).test(webhook)
    post.until(post.empty, public=True)
    assert receiver.told == []
    (dead,) = Outbox(post.storage).dead("default", webhook.id)
    assert "not public" in dead.error


def test_for_a_day_both_secrets_sign_after_a_rotation(post: Post, receiver: Receiver) -> None:
    before = post.webhook(f"{receiver.url}/hook")
    after = Webhooks(post.storage).rotate("default", before.id)
    Outbox(post.storage).test(after)
    post.until(post.empty)
    ((headers, body),) = receiver.told
    for webhook in (before, after):
        assert Signer(webhook.secrets[0].text).verify(body, headers)["type"] == "test"
