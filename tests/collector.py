"""A collector of OpenTelemetry's protocol over HTTP, which keeps the spans that it gets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Seen:
    """A span that was sent."""

    service: str
    name: str
    trace: str
    span: str
    above: str
    """Id of the span above it."""
    values: dict[str, str]


@dataclass
class Collector:
    """Where spans are sent to."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)

    def of(self, trace: str) -> list[Seen]:
        """Return the spans of a trace."""
        return [span for span in self.spans if span.trace == trace]


@contextmanager
def running() -> Iterator[Collector]:
    """Run a collector on a free port."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.spans += _spans(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


def _spans(body: bytes) -> Iterator[Seen]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceRequest,
    )

    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        (service,) = (
            one.value.string_value
            for one in resource.resource.attributes
            if one.key == "service.name"
        )
        for scope in resource.scope_spans:
            for span in scope.spans:
                values = {one.key: one.value.string_value for one in span.attributes}
                ids = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
                yield Seen(service, span.name, *ids, values)
