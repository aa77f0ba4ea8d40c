"""What the documents of Voice Clone TTS v3 promise callers of its gateway, row by row.

``docs/http.md`` tells where this gateway answers otherwise, and why. Braces stand for what the
test has there: a `{worker}`, a registered `{server}` and its `{port}`, an `{announcement}` and a
`{voice}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dubbing.gateway import pulse
from dubbing.ledger import OFFLINE_SECONDS
from dubbing.queue.say import SAY_SECONDS
from dubbing.settings import Settings
from workers.heartbeat import BEAT_SECONDS

NUMBER = (int, float)


@dataclass(frozen=True)
class Row:
    """A request, and what its answer holds."""

    route: str
    """The method and the path."""
    sent: Mapping[str, Any] = field(default_factory=dict)
    """The body in JSON; of `/api/extract_voice`, the fields of the form beside the recording."""
    status: int = 200
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the answer, each with its value or its type."""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.route} {self.sent or ''}"

    def names(self, what: str) -> bool:
        """Whether it needs what stands in braces."""
        return f"{{{what}}}" in str(self)


HEALTH = {"status": "healthy", "version": str, "uptime_seconds": NUMBER}
STATUS = dict.fromkeys(("online_nodes", "total_nodes", "total_requests", "current_concurrent"), int)
COUNTS = {"request_count": int, "error_count": int, "current_concurrent": int}
TIMES = {"registered_at": str, "last_heartbeat": str}
DRAWN = {"engine": str, "current_load": int, "max_concurrent": int}
NODE = {"node_id": str, "engine_type": str, "host": str, "status": str, "model_loaded": bool}
SERVER = NODE | COUNTS | DRAWN | {"engine_type": "remote-tone", "port": int}
REGISTERED = {"engine_type": "remote-tone", "host": "127.0.0.1", "port": "{port}"}
METRICS = {
    **{"cpu_percent": 12.5, "memory_percent": 40.0, "memory_used_mb": 512.0, "gpu_percent": 80.0},
    **{"gpu_memory_percent": 25.0, "gpu_memory_used_mb": 2048.0},
    **{"request_count": 12, "error_count": 1, "current_concurrent": 1},
}
COMMANDS = ("standby", "activate", "unload_model", "load_model")
ANNOUNCED = {"title": "Tonight", "message": "Jobs wait from 22:00."}
TEXT = {"text": "The train leaves at nine.", "voice_id": "low", "language": "en"}
TEXTS = {"texts": ["One.", "Two."], "voice_id": "low", "language": "en", "engine": "tone"}
VOICE = dict.fromkeys(("voice_id", "voice_name", "name", "engine", "created_at"), str)
NAMED = {"voice_id": "eve", "voice_name": "Eve", "reference_text": "You told", "engine": "tone"}
UNKNOWN = {"code": "not_found", "message": str}

ROUTES = [
    Row("GET /health", fields=HEALTH),
    Row("GET /api/health", fields=HEALTH | {"timestamp": str, "components": dict}),
    Row("GET /api/status", fields=STATUS | {"engines": dict, "announcements": list}),
    Row("POST /api/nodes/register", REGISTERED | {"node_id": "{server}"}, fields=SERVER),
    Row("POST /api/nodes/register", REGISTERED | {"node_id": "new"}, 201, SERVER),
    Row("GET /api/nodes", fields={"nodes": list, "count": int}),
    Row("GET /api/nodes?engine=tone", fields={"count": 1}),
    *(Row(f"GET /api/nodes?status={one}") for one in ("standby", "loading", "ready")),
    *(Row(f"GET /api/nodes?status={one}") for one in ("busy", "error", "offline")),
    Row("GET /api/nodes/{worker}", fields=NODE | COUNTS | TIMES | {"engine_type": "tone"}),
    Row("GET /api/nodes/{server}", fields=SERVER),
    Row("POST /api/nodes/{server}/heartbeat", METRICS, fields=METRICS),
    *(Row("POST /api/nodes/{worker}/command", {"command": one}) for one in COMMANDS),
    *(Row("POST /api/nodes/{server}/command", {"command": one}) for one in COMMANDS),
    Row("POST /api/nodes/{server}/command", {"command": "stop"}, 202),
    Row("DELETE /api/nodes/{server}", status=204),
    Row("POST /api/register", REGISTERED | {"node_id": "drawn"}, 201, SERVER),
    Row("POST /api/heartbeat", {"node_id": "{server}", "status": "busy"}, fields=SERVER),
    Row("POST /api/unregister", {"node_id": "{server}"}, 204),
    Row(
        "POST /api/synthesize",
        TEXT,
        headers={"content-type": "audio/wav", "x-engine": "tone", "x-node-id": "{worker}"},
    ),
    Row("POST /api/synthesize", TEXT | {"engine": "tone", "speed": 0.5, "pitch": 0.5}),
    Row("POST /api/synthesize", TEXT | {"output_format": "wav", "speed": 2, "pitch": 2}),
    Row("POST /api/extract_voice", status=201, fields=VOICE),
    Row("POST /api/extract_voice", {"voice_name": "ada"}, 201, VOICE | {"voice_name": "ada"}),
    Row("POST /api/extract_voice", NAMED, 201, VOICE | {"voice_id": "eve", "engine": "tone"}),
    Row("GET /api/voices", fields={"voices": list}),
    Row("DELETE /api/voices/{voice}", status=204),
    Row("POST /api/batch_synthesize", TEXTS, 202, {"total": 2, "results": list}),
    Row("GET /api/announcements", fields={"announcements": list}),
    *(
        Row("POST /api/announcements", sent, 201, sent | {"id": str, "created_at": str})
        for one in ("info", "warning", "error", "maintenance")
        for sent in [ANNOUNCED | {"type": one}]
    ),
    Row("DELETE /api/announcements/{announcement}", status=204),
]

ERRORS = [
    Row("POST /api/synthesize", TEXT | {"voice_id": "nobody"}, 404, UNKNOWN),
    Row("POST /api/batch_synthesize", TEXTS | {"voice_id": "nobody"}, 404, UNKNOWN),
    Row("DELETE /api/voices/nobody", status=404, fields=UNKNOWN),
    Row("GET /api/nodes/nobody", status=404, fields=UNKNOWN),
    Row("POST /api/heartbeat", {"node_id": "nobody"}, 404, UNKNOWN),
    Row("POST /api/heartbeat", {"node_id": "nobody", "status": []}, 422, {"code": "bad_input"}),
    Row("POST /api/nodes/nobody/heartbeat", METRICS, 404, UNKNOWN),
    Row(
        "POST /api/synthesize",
        TEXT | {"engine": "espeak", "voice_id": "en"},
        status=503,
        fields={"code": "transient", "message": str, "retry_after": int},
    ),
    *(
        Row("POST /api/synthesize", TEXT | wrong, 422, {"code": "bad_input", "message": str})
        for wrong in (
            *({"text": ""}, {"text": "x" * 5001}, {"voice_id": None}),
            *({"speed": 0.49}, {"speed": 2.01}, {"pitch": 0.49}, {"pitch": 2.01}),
        )
    ),
]

DEFAULTS = {
    "SynthesizeBody": {
        **{"engine": None, "language": "zh", "output_format": "wav", "speed": 1.0, "pitch": 1.0},
    },
    "BatchBody": {"engine": None, "language": "zh"},
    "AnnounceBody": {"type": "info", "expires_at": None},
}
"""What fields of requests are that callers leave out, by the name of the body."""

ENGINES = {"xtts", "openvoice", "gpt-sovits"}

_settings = {name: field.default for name, field in Settings.model_fields.items()}
CONFIG = {
    "global_rpm": (1000, _settings["requests_per_minute"]),
    "ip_rpm": (100, _settings["requests_per_minute_per_address"]),
    "concurrent_limit": (50, _settings["requests_at_once"]),
    "heartbeat_interval": (10, BEAT_SECONDS),
    "dead_threshold": (30, OFFLINE_SECONDS),
    "ws_broadcast_interval": (2.0, pulse.BEAT_SECONDS),
    "request_timeout": (60, SAY_SECONDS),
}
"""What the configuration is by default, there and here."""
