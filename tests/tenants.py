"""What belongs to a tenant, and the requests that name it, for every route of the gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts

from dubbing.gateway.pages.addresses import PAGES

Ids = Mapping[str, str]

UNKNOWN: Ids = {
    "job_id": "nobodys-job",
    "upload_id": "0" * 24,
    "webhook_id": "1" * 24,
    "message_id": "msg_0",
    "voice_id": "nobodys-voice",
    "digest": "f" * 64,
}
"""Ids of nothing, by what a path calls them; `digest` is a voice's."""
OF_A_JOB = {"name": "dub.flac", "line": "1"}
EVERYBODYS = {"node_id", "announcement_id", "key_id", "engine", "release"}


def _job(**fields: Any) -> dict[str, Any]:
    segment = {"start": 0, "end": 5, "text": "A line."}
    return {"language": "en", "engine": "tone", "segments": [segment], **fields}


def _cast(voice: str) -> dict[str, Any]:
    return _job(cast={"speaker": {"voice": voice}})


def _felt(voice: str) -> dict[str, Any]:
    return _job(cast={"speaker": {"voice": "low", "emotion": {"voice": voice}}})


def _alone(voice: str) -> dict[str, Any]:
    return _job(segments=[{"start": 0, "end": 5, "text": "A line.", "voice": voice}])


def _manifests(ids: Ids) -> list[dict[str, Any]]:
    upload = f"upload:{ids['upload_id']}"
    cloned = {"speaker": {"reference": upload}}
    background = {"mode": "track", "track": upload}
    return [
        *({**_job(), "segments": None, "script": upload}, _job(media=upload), _job(cast=cloned)),
        *(_job(background=background), _cast(ids["voice_id"]), _cast(ids["digest"])),
        *(_felt(ids["voice_id"]), _felt(ids["digest"])),
        *(_alone(ids["voice_id"]), _alone(ids["digest"])),
    ]


def _spoken(text: Mapping[str, Any], field: str = "voice_id") -> Callable[[Ids], list[Any]]:
    return lambda ids: [{**text, field: ids["voice_id"]}, {**text, field: ids["digest"]}]


BODIES: Mapping[str, Callable[[Ids], list[Any]]] = {
    "POST /v1/jobs": _manifests,
    "POST /v1/jobs/preview": _manifests,
    "POST /api/synthesize": _spoken({"text": "A line.", "language": "en"}),
    "POST /api/batch_synthesize": _spoken({"texts": ["A line."], "language": "en"}),
    "POST /v1/audio/speech": _spoken(
        {"input": "A line.", "model": "tone", "language": "en"}, "voice"
    ),
}
"""Bodies that name what belongs to a tenant, by the route whose path names nothing."""
NAMELESS = {
    "POST /v1/uploads",
    "POST /v1/webhooks",
    "POST /api/extract_voice",
    *(f"POST /api/{route}" for route in ("register", "heartbeat", "unregister")),
    *("POST /api/nodes/register", "POST /api/announcements", "POST /v1/keys"),
    *("POST /session", "DELETE /session"),
    "WEBSOCKET /ws",
}
"""Routes that take no id of what belongs to a tenant; of the WebSocket, see its own tests."""


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield the method of each route of our own, and its path without the kinds of its parts."""
    for context in iter_route_contexts(app.routes):
        # A page is the same for everybody: what it shows comes by the other routes.
        if str(context.path) in PAGES or "{release}" in str(context.path):
            continue
        if isinstance(context.original_route, APIRoute | APIWebSocketRoute):
            for method in sorted(context.methods or ["WEBSOCKET"]):
                yield method, str(context.path).replace(":path}", "}")
