"""The cost of importing the client in a pipeline, and the modules it loads.

- ``import_ratio``: ``from dubbing.client import Client`` ÷ importing what any such client needs
  (Celery, redis-py, pydantic-settings, obstore), each in a fresh interpreter whose start is not
  counted; the median of interleaved runs.
- ``client_seconds``, ``bare_seconds``: the medians of the two.
- ``modules``, ``bare_modules``: how many modules each of the two loads.
- ``heavy``: how many libraries for speech, decoding or calculation the client loads; none allowed.

Takes half a minute.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from typing import Any

AT_MOST = {"import_ratio": 1.6, "heavy": 0}

REPEATS = 21
BARE = "import celery, redis, pydantic_settings, obstore"
CLIENT = "from dubbing.client import Client"
HEAVY = {"torch", "TTS", "piper", "onnxruntime", "espeakng_loader", "librosa", "av", "scipy"}

TIMED = """
import json, sys, time
started = time.perf_counter()
{statement}
seconds = time.perf_counter() - started
print(json.dumps({{"seconds": seconds, "modules": list(sys.modules)}}))
"""


def run() -> dict[str, float]:
    """Return the figures."""
    # The first pair compiles modules that were never imported before.
    pairs = [(imported(CLIENT), imported(BARE)) for _ in range(REPEATS + 1)][1:]
    client, bare = pairs[0]
    return {
        "import_ratio": statistics.median(one["seconds"] / two["seconds"] for one, two in pairs),
        "client_seconds": statistics.median(one["seconds"] for one, _ in pairs),
        "bare_seconds": statistics.median(two["seconds"] for _, two in pairs),
        "modules": len(client["modules"]),
        "bare_modules": len(bare["modules"]),
        "heavy": len(HEAVY.intersection(client["modules"])),
    }


def imported(statement: str) -> dict[str, Any]:
    """Return how long an import takes in a fresh interpreter, and which modules it loads."""
    # Compiled modules are kept, as for a user.
    clean = {key: os.environ[key] for key in os.environ if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(statement=statement)],
        check=True,
        env=clean,
        stdout=subprocess.PIPE,
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
