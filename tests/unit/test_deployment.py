"""The deployment files name only settings, files and commands that the product has."""

from __future__ import annotations

import re
import shlex
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployments import IN_FILES, ROOT, SETTINGS, runs

from dubbing.engines.catalogue import Catalogue

COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "dubbing"}


def test_every_role_of_an_installation_is_there() -> None:
    assert set(SERVICES) >= {"redis", "s3", "worker-cpu", "worker-gpu", "assembly", "flower"}


@pytest.mark.parametrize("service", OURS)
def test_a_service_runs_a_command_that_exists(service: str) -> None:
    assert runs(OURS[service]["command"])


def test_a_worker_serves_an_engine_that_is_installed() -> None:
    engine = OURS["worker-cpu"]["command"][1]
    assert engine in Catalogue().names()


def test_the_gpu_worker_takes_a_gpu_and_only_when_asked() -> None:
    service = SERVICES["worker-gpu"]
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert service["profiles"] == ["gpu"]


def variables(value: Any) -> Iterator[str]:
    """Yield the names of the environment variables that services get."""
    for service in value.values():
        yield from service.get("environment", {})


def test_what_services_are_told_are_settings() -> None:
    told = {name for name in variables(OURS) if name.startswith("DUBBING_")}
    asked = set(re.findall(r"\$\{(DUBBING_\w+)", COMPOSE_TEXT))
    assert told and asked
    assert told | asked <= SETTINGS | IN_FILES


@pytest.mark.parametrize("service", SERVICES)
def test_a_port_is_published_on_the_loopback_address_alone(service: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[service].get("ports", []))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_its_secrets_from_files_that_it_gets(service: str) -> None:
    text = yaml.safe_dump(SERVICES[service])
    read = set(re.findall(r"/run/secrets/([\w-]+)", text))
    assert read == set(SERVICES[service].get("secrets", [])) & read
    assert set(SERVICES[service].get("secrets", [])) <= set(COMPOSE["secrets"])
    secret = re.compile(r"PASSWORD|SECRET|AUTH|KEY")
    told = {name for name in SERVICES[service].get("environment", {}) if secret.search(name)}
    assert all(name.endswith("_FILE") for name in told)


def test_every_secret_is_made_once(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "secrets"
    script.parent.mkdir()
    shutil.copy(ROOT / "scripts" / "secrets", script)
    subprocess.run([script], check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert {f"secrets/{name}" for name in made} == {
        secret["file"] for secret in COMPOSE["secrets"].values()
    }
    subprocess.run([script], check=True, capture_output=True)
    assert made == {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_do_little_harm(service: str) -> None:
    told = SERVICES[service]
    assert told["user"] not in {"root", "0"}
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert told["deploy"]["resources"]["limits"].keys() == {"memory", "pids"}


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"bucket"}))
def test_a_service_tells_whether_it_is_well(service: str) -> None:
    form, *words = SERVICES[service]["healthcheck"]["test"]
    assert form in {"CMD", "CMD-SHELL"}
    assert words[0] != "dubbing" or runs(words[1:])


def test_a_volume_that_is_mounted_is_declared() -> None:
    mounted = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith("./")
    }
    assert mounted == set(COMPOSE["volumes"])


def test_redis_keeps_what_it_is_told_and_forgets_nothing() -> None:
    words = " ".join(SERVICES["redis"]["command"])
    assert "requirepass $$(cat /run/secrets/redis-password)" in words
    assert "--appendonly yes" in words
    assert "--maxmemory-policy noeviction" in words


def test_every_variable_is_explained_in_the_example() -> None:
    explained = set(re.findall(r"^#(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert explained >= set(re.findall(r"[^$]\$\{(\w+)", COMPOSE_TEXT)) | SETTINGS


def commands_elsewhere() -> list[list[str]]:
    """The command lines of the unit files and of what runs on a card."""
    texts = [path.read_text() for path in (ROOT / "scripts" / "systemd").iterdir()]
    texts.append((ROOT / "scripts" / "autodl" / "serve").read_text())
    return [
        shlex.split(line)
        for text in texts
        for line in re.findall(r"^(?:ExecStart=|    exec )\S*/dubbing\"? (.*)$", text, re.MULTILINE)
    ]


def test_other_machines_run_commands_that_exist() -> None:
    assert sorted(command[0] for command in commands_elsewhere()) == [
        *("engine-server", "engine-server", "worker", "worker")
    ]
    assert all(map(runs, commands_elsewhere()))


def test_other_machines_set_variables_that_are_settings() -> None:
    folders = (ROOT / "scripts" / "systemd", ROOT / "scripts" / "autodl")
    files = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    text = "".join(path.read_text() for path in files)
    named = set(re.findall(r"DUBBING_[A-Z_]+", text)) - {"DUBBING_KEY_AUTODL"}
    assert {"DUBBING_HOME", "DUBBING_ENGINE_SERVER_KEY"} <= named <= SETTINGS


def instructions() -> list[list[str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [shlex.split(line) for line in lines]


def test_the_image_is_built_from_files_that_exist_and_are_sent() -> None:
    copied = [
        source
        for verb, *words in instructions()
        if verb == "COPY" and not words[0].startswith("--from")
        for source in words[:-1]
    ]
    sent = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert copied
    assert all((ROOT / source).exists() for source in copied)
    assert set(copied) == sent


def test_the_image_does_not_run_as_root() -> None:
    users = [words[1] for words in instructions() if words[0] == "USER"]
    assert users and users[-1] not in {"root", "0"}


def test_temporary_files_of_assembly_go_to_its_volume() -> None:
    (temporary,) = [words[1] for words in instructions() if words[:1] == ["ENV"]]
    assert temporary == "TMPDIR=/scratch"
    assert all("scratch:/scratch" in service["volumes"] for service in OURS.values())
