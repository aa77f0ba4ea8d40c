"""Traces: all that a request over HTTP brings about is one trace, through every process."""

from __future__ import annotations

from collections.abc import Iterator

import collector
import gateways
import pytest
from services import PLUGINS
from shell import Shell
from system import System, script

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@pytest.fixture(scope="module")
def sink() -> Iterator[collector.Collector]:
    with collector.running() as running:
        yield running


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, sink: collector.Collector) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        folder = tmp_path_factory.mktemp("traces")
        with System(folder, slots=1, otlp_endpoint=sink.url) as system:
            # A gateway knows the engines that workers have published.
            system.ready()
            yield system


def test_a_request_its_batch_its_clips_and_its_film_are_one_trace(
    system: System, sink: collector.Collector
) -> None:
    asked = script("traced", "One line", "Another line", tenant="default")
    body = asked.model_dump(mode="json", include={"id", "language", "segments"})
    with gateways.running(system.settings, OTEL_BSP_SCHEDULE_DELAY="100") as gateway:
        answer = gateway.http.post("/v1/jobs", json=body, headers=PARENT)
        assert answer.status_code == 201, answer.text
        assert answer.headers["X-Request-Id"] == TRACE
        assert gateway.http.get("/v1/jobs/traced?wait=60").json()["state"] == "completed"
    wanted = {
        ("dubbing-gateway", "POST"),
        ("dubbing-worker-faulty", "dubbing.synthesize"),
        ("dubbing-worker-faulty", "speak"),
        ("dubbing-worker-faulty", "store"),
        ("dubbing-worker-faulty", "store clip"),
        ("dubbing-worker-assembly", "dubbing.assemble"),
        ("dubbing-worker-assembly", "dub"),
    }
    system.until(lambda: wanted <= {(s.service, s.name) for s in sink.of(TRACE)}, "all spans sent")
    spans = sink.of(TRACE)
    ids = {span.span: span for span in spans}
    (speak,) = [span for span in spans if span.name == "speak"]
    assert ids[speak.above].name == "dubbing.synthesize"
    assert ids[speak.above].values["dubbing.job"] == "traced"
    assert sum(span.name == "store clip" for span in spans) == 2


def test_a_round_that_came_another_way_is_a_trace_of_its_own(
    system: System, sink: collector.Collector
) -> None:
    system.run(script("untold", "A line"))

    def traces() -> list[set[str]]:
        named = [span for span in sink.spans if span.values.get("dubbing.job") == "untold"]
        return [{span.trace for span in named}, {span.name for span in named}]

    system.until(lambda: {"speak", "dubbing.assemble"} <= traces()[1], "all spans sent")
    assert len(traces()[0]) == 1


def test_an_address_that_is_none_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBBING_OTLP_ENDPOINT", "localhost:4318")
    _, complaints = shell("status", "any", code=2)
    assert "DUBBING_OTLP_ENDPOINT: begin it with https:// or http://" in complaints
