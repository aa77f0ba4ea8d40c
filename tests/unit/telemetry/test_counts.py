"""What a process counts, and how it reads in Prometheus' format."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from dubbing.errors import BadInput
from dubbing.telemetry.counts import counts
from dubbing.telemetry.exposition import counted, registry_of, serve
from dubbing.telemetry.metrics import BATCH_PADDING, LINES, SPEECH


@pytest.fixture(autouse=True)
def wanted() -> Iterator[None]:
    # Other tests of this process may have counted.
    counts.take()
    counts.wanted = True
    yield
    counts.wanted = False
    counts.take()


def told(amounts: Mapping[str, int], *engines: str) -> dict[tuple[str, ...], float]:
    """Return the value of each series, by name and values of labels, as Prometheus reads them."""
    registry = registry_of(lambda: counted([({}, amounts)], engines))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (one.name, *one.labels.values()): one.value for family in families for one in family.samples
    }


def test_a_process_that_reports_nowhere_counts_nothing() -> None:
    counts.wanted = False
    LINES.add("tone", "spoken")
    BATCH_PADDING.observe(0.2, "tone")
    assert counts.take() == {}


def test_what_was_counted_is_reported_once_unless_that_fails() -> None:
    LINES.add("tone", "spoken", by=3)
    SPEECH.add("tone", by=1.25)
    taken = counts.take()
    assert taken == {
        "dubbing_lines_total|tone|spoken": 3,
        "dubbing_speech_seconds_total|tone": 1250,
    }
    assert counts.take() == {}
    LINES.add("tone", "spoken")
    counts.put_back(taken)
    assert counts.take()["dubbing_lines_total|tone|spoken"] == 4


def test_seconds_and_shares_are_told_in_their_units() -> None:
    SPEECH.add("tone", by=1.25)
    for share in (0.05, 0.06, 0.9):
        BATCH_PADDING.observe(share, "tone")
    seen = told(counts.take())
    assert seen["dubbing_speech_seconds_total", "tone"] == 1.25
    buckets = [
        value for (name, *_), value in seen.items() if name == "dubbing_batch_padding_ratio_bucket"
    ]
    # A bound belongs to its bucket, and each bucket holds those below it.
    assert buckets == [1, 2, 2, 2, 2, 2, 3]
    assert seen["dubbing_batch_padding_ratio_sum", "tone"] == pytest.approx(1.01)


def test_an_engine_is_shown_before_anything_of_it_is_counted() -> None:
    seen = told({"dubbing_lines_total|tone|spoken": 2}, "tone", "vits")
    assert seen["dubbing_lines_total", "tone", "spoken"] == 2
    assert seen["dubbing_lines_total", "vits", "failed"] == 0
    assert seen["dubbing_given_up_total", "vits"] == 0
    assert seen["dubbing_jobs_total", "failed"] == 0


def test_what_others_have_written_among_the_amounts_is_left_out() -> None:
    spoilt = {"dubbing_lines_total": 1, "dubbing_batch_lines": 1, "mine|x": 1, "": 1}
    assert told(spoilt) == told({})


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"127.0.0.1:{port}: no metrics can be served there"):
            serve(registry_of(lambda: []), "127.0.0.1", port)
