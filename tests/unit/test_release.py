"""The lock, and the script that makes a release."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from deployments import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION = PROJECT["project"]["version"]


def test_the_lock_names_the_public_registry_alone() -> None:
    hosts = set(re.findall(r'"https?://([^/"]+)', (ROOT / "uv.lock").read_text()))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


def test_the_lock_has_the_torch_of_the_tests_and_the_image_the_uv_of_the_lock() -> None:
    (torch,) = PROJECT["tool"]["uv"]["constraint-dependencies"]
    assert torch in (ROOT / "scripts" / "setup").read_text()
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    versions = {package["name"]: package["version"] for package in locked}
    assert f"uv=={versions['uv']}" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("folder", ["cpu", "gpu"])
def test_kubernetes_runs_the_image_of_this_version(folder: str) -> None:
    text = (ROOT / "deploy" / "kubernetes" / folder / "kustomization.yaml").read_text()
    assert {image["newTag"] for image in yaml.safe_load(text)["images"]} == {VERSION}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with all that a release of 1.2.3 is checked for."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "release", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text('version = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.3 (2026-12-01)\n")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path


def refusal(checkout: Path, *arguments: str) -> str:
    done = subprocess.run(
        [checkout / "scripts" / "release", *arguments], text=True, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert not (checkout / "dist").exists()
    return done.stderr


def test_a_release_is_what_its_files_say(checkout: Path) -> None:
    assert "name the version" in refusal(checkout)
    assert "another version than 1.2.4" in refusal(checkout, "1.2.4")
    assert "git status" in refusal(checkout, "1.2.3")
    (checkout / "CHANGELOG.md").write_text("## Unreleased: 1.2.3\n")
    assert 'no heading "## 1.2.3"' in refusal(checkout, "1.2.3")
