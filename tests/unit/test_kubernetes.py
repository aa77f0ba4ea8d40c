"""The manifests for Kubernetes: by its published schemas, and naming only what the product has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from deployments import IN_FILES, ROOT, SETTINGS, runs

FOLDER = ROOT / "deploy" / "kubernetes"
VERSION = "1.37"
"""Release of Kubernetes whose schemas hold."""
SCALED = "ScaledObject"
"""KEDA's kind, for which no schema can be had as a package."""
FIELDS = {"scaleTargetRef", "minReplicaCount", "maxReplicaCount", "cooldownPeriod", "fallback"}
"""Fields of its specification, which the manifests use, besides the triggers."""
FIGURES = {"serverAddress", "query", "threshold", "ignoreNullValues"}
"""Fields of its trigger for Prometheus."""
Resource = dict[str, Any]


def documents(text: str) -> list[Resource]:
    return [document for document in yaml.safe_load_all(text) if document]


FILES = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml")


@pytest.fixture(scope="module")
def rendered() -> list[Resource]:
    """All that an installation with cards consists of, as Kustomize makes it."""
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl, which brings Kustomize")
    command = ["kubectl", "kustomize", FOLDER / "gpu"]
    made = subprocess.run(command, text=True, capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    return documents(made.stdout)


def of_kind(resources: list[Resource], *kinds: str) -> dict[str, Resource]:
    """Return the resources of these kinds by name."""
    return {one["metadata"]["name"]: one for one in resources if one["kind"] in kinds}


def pods(resources: list[Resource]) -> dict[str, Resource]:
    """Return the specifications of pods, by what makes them."""
    makers = of_kind(resources, "Deployment", "Job")
    return {name: maker["spec"]["template"]["spec"] for name, maker in makers.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_manifest_follows_the_published_schema(path: Path) -> None:
    for resource in documents(path.read_text()):
        if resource["kind"] != SCALED:
            kubernetes_validate.validate(resource, VERSION, strict=True)


def test_what_is_made_of_the_manifests_follows_the_published_schema(
    rendered: list[Resource],
) -> None:
    assert {"gateway", "worker-assembly", "worker-espeak", "worker-xtts"} <= pods(rendered).keys()
    for resource in rendered:
        if resource["kind"] != SCALED:
            kubernetes_validate.validate(resource, VERSION, strict=True)


def test_a_pod_runs_and_asks_commands_that_exist(rendered: list[Resource]) -> None:
    for pod in pods(rendered).values():
        (container,) = pod["containers"]
        assert container.get("command") == ["sleep", "infinity"] or runs(container["args"])
        probes = [probe for name, probe in container.items() if name.endswith("Probe")]
        asked = [probe["exec"]["command"] for probe in probes if "exec" in probe]
        assert all(program == "dubbing" and runs(words) for program, *words in asked)


def test_a_pod_can_do_little_harm(rendered: list[Resource]) -> None:
    for pod in pods(rendered).values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]
        assert "requests" in container["resources"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_each_deployment_has_a_budget_of_disruptions(rendered: list[Resource]) -> None:
    budgets = of_kind(rendered, "PodDisruptionBudget")
    deployments = of_kind(rendered, "Deployment")
    assert deployments.keys() - budgets.keys() == {"console", "exporter"}
    for name, budget in budgets.items():
        assert budget["spec"]["selector"] == deployments[name]["spec"]["selector"]


def test_each_worker_is_scaled_by_what_waits_for_its_engine(rendered: list[Resource]) -> None:
    workers = {
        name: pod["containers"][0]["args"][1]
        for name, pod in pods(rendered).items()
        if pod["containers"][0].get("args", [""])[0] == "worker"
    }
    scaled = of_kind(rendered, SCALED)
    assert scaled.keys() == workers.keys()
    for name, one in scaled.items():
        spec = one["spec"]
        assert spec.keys() == FIELDS | {"triggers"}
        assert spec["scaleTargetRef"] == {"name": name}
        depth, age = (trigger["metadata"] for trigger in spec["triggers"])
        assert depth.keys() == age.keys() == FIGURES
        assert all(isinstance(value, str) for value in [*depth.values(), *age.values()])
        engine = workers[name]
        assert age["query"] == f'max(dubbing_oldest_seconds{{engine="{engine}"}})'
        assert engine == "assembly" or f'engine="{engine}"' in depth["query"]


def test_settings_are_settings_and_secrets_are_made() -> None:
    lines = (FOLDER / "cpu" / "settings.env").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert settings.keys() <= SETTINGS | IN_FILES
    named = re.findall(r"/run/secrets/dubbing/([\w-]+)", "\n".join(lines))
    made = re.findall(r"^make ([\w-]+)", (ROOT / "scripts" / "secrets").read_text(), re.MULTILINE)
    assert named and set(named) <= set(made)


def test_variables_of_pods_are_settings(rendered: list[Resource]) -> None:
    told = {
        variable["name"]
        for pod in pods(rendered).values()
        for variable in pod["containers"][0].get("env", [])
    }
    assert told <= SETTINGS | IN_FILES | {"OMP_NUM_THREADS"}
