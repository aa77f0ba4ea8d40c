"""OpenTelemetry traces: the work of one request, or of one round of a job, in all processes.

Processes do not propagate trace contexts. The trace id follows from the request's id, which all
work carries, or from the job and its round.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dubbing.errors import BadInput
from dubbing.settings import Settings
from dubbing.telemetry.context import context

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

TRACE_ID = 32
"""Hex digits of a trace id."""
NAMES_ITSELF = re.compile(rf"(?!0+$)[0-9a-f]{{{TRACE_ID}}}")
"""A request id of this form is also the trace id."""
TRACEPARENT = re.compile(r"[0-9a-f]{2}-((?!0+-)[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")
"""The W3C ``traceparent`` header, with which a caller names its trace."""

_provider: TracerProvider | None = None


def configure(settings: Settings, process: str) -> None:
    """Send traces to the collector in the settings, if there is one.

    process: the service is named ``dubbing-<process>``.
    Raises BadInput when the extra is missing. While the collector is down, traces are lost.
    """
    global _provider  # noqa: PLW0603 - a process has one
    if not settings.otlp_endpoint:
        return
    if not find_spec("opentelemetry"):
        raise BadInput(
            "traces need OpenTelemetry: pip install 'dubbing[tracing]'",
            where="DUBBING_OTLP_ENDPOINT",
        )
    # None of these is needed without a collector.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    _provider = TracerProvider(resource=Resource.create({SERVICE_NAME: f"dubbing-{process}"}))
    exporter = OTLPSpanExporter(f"{settings.otlp_endpoint}/v1/traces")
    _provider.add_span_processor(BatchSpanProcessor(exporter))


def close() -> None:
    """Send the remaining traces before the process ends."""
    if _provider:
        _provider.shutdown()


@contextmanager
def span(name: str, **attributes: str | int | float) -> Iterator[None]:
    """Trace the block as a span, with ``attributes`` and the values of the log context."""
    if _provider is None:
        yield
        return
    bound = context()
    values = {f"dubbing.{key}": _value(value) for key, value in bound.items()}
    tracer = _provider.get_tracer("dubbing")
    with tracer.start_as_current_span(
        name, context=_above(bound), attributes={**values, **attributes}
    ):
        yield


def new_request_id() -> str:
    """Return a new request id, which is also a trace id."""
    return f"{random.SystemRandom().getrandbits(128):0{TRACE_ID}x}"


def trace_in(traceparent: str) -> str:
    """Return the trace id in a W3C ``traceparent`` header, or ``""``."""
    found = TRACEPARENT.fullmatch(traceparent.strip())
    return found[1] if found else ""


def _above(bound: dict[str, object]) -> Context | None:
    """Return the parent context of a new span; None if the current span is the parent."""
    from opentelemetry import trace

    subject = str(bound.get("request") or f"{bound.get('job', '')}/{bound.get('round', '')}")
    digest = hashlib.sha256(subject.encode()).hexdigest()
    trace_id = int(subject if NAMES_ITSELF.fullmatch(subject) else digest[:TRACE_ID], 16)
    # A task may do the work of another job than that of its message.
    if subject == "/" or trace.get_current_span().get_span_context().trace_id == trace_id:
        return None
    return trace.set_span_in_context(
        trace.NonRecordingSpan(
            trace.SpanContext(
                trace_id=trace_id,
                # The root span is never sent; every process derives the same id for it.
                span_id=int(digest[-16:], 16),
                is_remote=True,
                trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
            )
        )
    )


def _value(value: Any) -> str | int | float:
    return value if isinstance(value, int | float) else str(value)
