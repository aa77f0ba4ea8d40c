"""Gauges of the system, made of records."""

from __future__ import annotations

import time

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from dubbing.engines.remote.pool import Endpoint, Pool
from dubbing.exporter.gauges import endpoints
from dubbing.ledger.records import OFFLINE_SECONDS
from dubbing.ledger.servers import ServerBeat, id_of
from dubbing.telemetry.exposition import registry_of


def test_each_server_of_an_engine_has_one_state() -> None:
    there, leaving, gone = (
        Endpoint(url="https://one:8443"),
        Endpoint(url="https://two:8443/v1", draining=True),
        Endpoint(url="http://three"),
    )
    pool = Pool(endpoints=(there, leaving, gone))
    beats = {
        id_of("remote", there): ServerBeat(at=time.time()),
        id_of("remote", gone): ServerBeat(at=time.time() - OFFLINE_SECONDS),
    }
    told = generate_latest(registry_of(lambda: endpoints({"remote": pool}, beats))).decode()
    samples = [one for family in text_string_to_metric_families(told) for one in family.samples]
    states = [
        (one.labels["endpoint"], one.labels["state"], one.value)
        for one in samples
        if one.name == "dubbing_endpoint_state"
    ]
    assert states == [
        ("https://one:8443", "ready", 1),
        ("https://two:8443/v1", "draining", 1),
        ("http://three", "offline", 1),
    ]
