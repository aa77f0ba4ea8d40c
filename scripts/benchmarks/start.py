"""The time until `dubbing run` speaks, and the waiting times of the command line.

- ``first_clip_seconds``: from the start of ``dubbing run examples/scene.json`` until the first clip
  is in storage, with a warm environment and a new home each time.
- ``ratio_to_bare``: this ÷ the time of a Python process that imports the libraries that any such
  system needs (Celery, redis-py, obstore, pydantic-settings) and ends.
- ``run_seconds``: until the scene's film is in ``out/``.
- ``help_seconds``, ``status_seconds``: ``dubbing --help``, and ``dubbing status`` of the
  ended job.

Each is the median of several repeats of the whole sequence.

Takes two minutes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks._system import PATIENCE, settings
from dubbing.embedded.stack import Stack, dubbing_command

AT_MOST = {"first_clip_seconds": 3.0}

REPEATS = 7
POLL_SECONDS = 0.005
SCENE = Path(__file__).parents[2] / "examples" / "scene.json"
BARE = [sys.executable, "-c", "import celery, redis, obstore, pydantic_settings"]
DUBBING = dubbing_command()


def run() -> dict[str, float]:
    """Return the figures."""
    repeats = [once() for _ in range(REPEATS)]
    return {key: statistics.median(repeat[key] for repeat in repeats) for key in repeats[0]}


def once() -> dict[str, float]:
    """Return the seconds of each step, done once in a new home and folder."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as name:
        folder = Path(name)
        bare = seconds(BARE, folder)
        first, whole, job = dub(folder)
        with Stack(settings(folder / "home", "espeak"), []):
            status = seconds([*DUBBING, "status", job], folder)
        return {
            "first_clip_seconds": first,
            "ratio_to_bare": first / bare,
            "run_seconds": whole,
            "help_seconds": seconds([*DUBBING, "--help"], folder),
            "status_seconds": status,
        }


def dub(folder: Path) -> tuple[float, float, str]:
    """Dub the scene; return the seconds until the first clip and until the end, and the job."""
    clips = folder / "home" / "storage" / "clips"
    started = time.perf_counter()
    process = subprocess.Popen(
        [*DUBBING, "run", str(SCENE), "--json"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not any(clips.glob("*/*.flac")):
            assert process.poll() is None, "it ended and no clip is there"
            assert time.perf_counter() - started < PATIENCE, "no clip is there"
            time.sleep(POLL_SECONDS)
        first = time.perf_counter() - started
        output, _ = process.communicate(timeout=PATIENCE)
    finally:
        # Its children end with it.
        process.terminate()
        process.wait()
    assert process.returncode == 0
    return first, time.perf_counter() - started, json.loads(output)["id"]


def seconds(command: Sequence[str], folder: Path) -> float:
    """Return how long a command takes."""
    started = time.perf_counter()
    subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=PATIENCE,
    )
    return time.perf_counter() - started


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a user who has only set the home."""
    # In a warm environment modules are compiled.
    unwanted = ("DUBBING_", "PYTHONDONTWRITEBYTECODE")
    clean = {key: os.environ[key] for key in os.environ if not key.startswith(unwanted)}
    return {**clean, "DUBBING_HOME": str(folder / "home")}
