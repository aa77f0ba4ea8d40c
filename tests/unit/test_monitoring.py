"""The alerts, the dashboard and the scrape configuration name only metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dubbing.exporter import gauges
from dubbing.ledger.backlog import Backlog
from dubbing.telemetry.metrics import SPREADS, TOTALS

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
SCRAPES = DEPLOY / "prometheus" / "prometheus.yml"
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dubbing.json").read_text())
RULES = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
TARGETS = [target for panel in PANELS for target in panel["targets"]]
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{target["expr"]: target["expr"] for target in TARGETS},
}


def exported() -> Iterator[str]:
    """Yield the names of all metrics, those of a histogram's series too."""
    shown = [
        *gauges.waiting({"assembly": Backlog()}, ["tone"]),
        *gauges.queues({}, {}),
        *gauges.jobs({}),
        *gauges.wanted({}),
        *gauges.workers([]),
        *gauges.endpoints({}, {}),
        *gauges.parts({}),
        *gauges.disk(1, 2),
    ]
    yield from (metric.name for metric in shown)
    yield from (total.name for total in TOTALS)
    for spread in SPREADS:
        yield from (f"{spread.name}_{part}" for part in ("bucket", "sum", "count"))


def labels(name: str) -> set[str]:
    """Return the labels of a metric that is counted; every one may name a worker."""
    found = {of.name: of.labels for of in (*TOTALS, *SPREADS)}
    of = found.get(name) or found.get(name.rpartition("_")[0], ())
    return {*of, "worker", "le"}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_there_are(expression: str) -> None:
    named = re.findall(r"\b(dubbing_\w+)(?:\{([^}]*)\})?", expression)
    assert named
    known = set(exported())
    for name, selectors in named:
        assert name in known
        assert set(re.findall(r'(\w+)(?=!?=~?")', selectors)) <= labels(name)


def test_the_names_are_those_that_prometheus_asks_for() -> None:
    names = [*exported()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"dubbing(_[a-z]+)+", name) for name in names)
    assert all(total.name.endswith("_total") and total.help.endswith(".") for total in TOTALS)


def test_what_must_wake_somebody_has_an_alert() -> None:
    watched = " ".join(rule["expr"] for rule in RULES)
    for name in ("available_workers", "oldest_seconds", "given_up_total", "free_bytes", "part_up"):
        assert f"dubbing_{name}" in watched or f"_{name}" in watched
    for rule in RULES:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description"}


def test_the_panels_stand_beside_each_other() -> None:
    places = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in places
                places.add((x, y))
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_the_scrape_configuration_loads_the_alerts() -> None:
    config = yaml.safe_load(SCRAPES.read_text())
    assert config["rule_files"] == [ALERTS.name]
    assert [job["job_name"] for job in config["scrape_configs"]] == ["dubbing"]


def test_prometheus_takes_rules_configuration_and_queries(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing")
    records = [{"record": f"panel:{n}", "expr": one["expr"]} for n, one in enumerate(TARGETS)]
    queries = tmp_path / "queries.yml"
    queries.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    for check in (["rules", ALERTS, queries], ["config", SCRAPES]):
        done = subprocess.run(
            [promtool, "check", *check], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
