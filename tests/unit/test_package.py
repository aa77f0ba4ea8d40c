"""The wheel, installed where it cannot import anything from the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.timeout(600)

CLIENT = """
import json, sys
import dubbing.client
print(json.dumps({"from": dubbing.client.__file__, "modules": sorted(sys.modules)}))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program without this process's settings and paths, and return its output."""
    done = subprocess.run(
        command, cwd=cwd, env={"PATH": "/usr/bin:/bin"}, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("dubbing-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a clean environment that holds the wheel and its requirements."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False)
    pip("--python", folder / "bin" / "python", "install", "--no-compile", wheel)
    return folder / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A user's folder, with modules that have the names of ours."""
    for name in ("tasks", "workers"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('this is not our {name}')\n")
    return tmp_path


def pip(*arguments: str | Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments],
        check=True,
    )


def test_the_client_brings_no_task_no_worker_and_no_engine(
    installed: Path, elsewhere: Path
) -> None:
    seen = json.loads(run(installed / "python", "-c", CLIENT, cwd=elsewhere))

    assert str(ROOT) not in seen["from"]
    loaded = {module.partition(".")[0] for module in seen["modules"]}
    assert "dubbing" in loaded
    assert not loaded & {"tasks", "workers", "torch", "onnxruntime", "espeakng_loader", "TTS"}
    adapters = [name for name in seen["modules"] if name.startswith("dubbing.engines.adapters")]
    assert not adapters


def test_importing_the_client_loads_nothing_that_speaks_decodes_or_counts() -> None:
    # In the environment of these tests, which has every extra.
    seen = json.loads(run(sys.executable, "-c", CLIENT, cwd=ROOT))
    loaded = {module.partition(".")[0] for module in seen["modules"]}
    assert "dubbing" in loaded
    assert not loaded & {
        *("torch", "torchaudio", "TTS", "onnxruntime", "piper", "espeakng_loader", "librosa"),
        *(
            "scipy",
            "av",
            "numpy",
            "soundfile",
            "soxr",
            "kombu",
            "langcodes",
            "babel",
            "unicode_rbnf",
            "prometheus_client",
        ),
    }


def test_the_command_runs_beside_a_module_named_like_ours(installed: Path, elsewhere: Path) -> None:
    assert "worker" in run(installed / "dubbing", "--help", cwd=elsewhere)
    assert "Usage" in run(installed / "dubbing", "worker", "--help", cwd=elsewhere)


def test_an_engine_without_its_extra_says_which_to_install(
    installed: Path, elsewhere: Path
) -> None:
    done = subprocess.run(
        [installed / "dubbing", "worker", "espeak"],
        cwd=elsewhere,
        env={"PATH": "/usr/bin:/bin", "DUBBING_HOME": str(elsewhere / "home")},
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "dubbing[espeak]" in done.stdout + done.stderr


def test_the_pages_travel_with_the_wheel(installed: Path) -> None:
    (pages,) = installed.parent.glob("lib/python*/site-packages/dubbing/pages")
    kept = ROOT / "dubbing" / "pages"
    files = [path for path in kept.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert len(files) > 30
    for path in files:
        assert (pages / path.relative_to(kept)).read_bytes() == path.read_bytes()


def test_the_licences_travel_with_the_wheel(installed: Path) -> None:
    (site,) = installed.parent.glob("lib/python*/site-packages")
    (licences,) = site.glob("dubbing-*.dist-info/licenses")
    assert {path.name for path in licences.iterdir()} == {"LICENSE", "NOTICE"}


def test_the_documents_travel_with_the_wheel(installed: Path, elsewhere: Path) -> None:
    written = run(installed / "dubbing", "help", "deployment", cwd=elsewhere)
    assert written == (ROOT / "docs" / "deployment.md").read_text()
    (documents,) = installed.parent.glob("lib/python*/site-packages/dubbing/docs")
    beside = {path.name for path in (ROOT / "docs").iterdir()}
    assert {path.name for path in documents.iterdir()} == beside | {
        *("README.md", "SECURITY.md", "CHANGELOG.md")
    }
