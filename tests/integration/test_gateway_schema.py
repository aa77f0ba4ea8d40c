"""What a gateway answers is what its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import gateways
from system import System

from dubbing.keyring import Keyring, Scope

SECONDS = 12
"""How long requests are made up; `schemathesis run` goes on for as long as one likes."""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
ANY = {"DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS": "999999", "DUBBING_REQUESTS_PER_MINUTE": "999999"}
AWAY = ("--exclude-path-regex", "(/api/synthesize|/v1/audio/speech|/command|/events)$")
"""Nobody speaks here, and 503 says so; commands and events last as long as a worker or a job."""


class NoWorker(System):
    """Redis and storage."""

    ENGINES: ClassVar[Mapping[str, str]] = {}


def test_no_request_finds_an_answer_that_is_not_documented(tmp_path: Path) -> None:
    with (
        NoWorker(tmp_path / "home", engine="tone") as system,
        gateways.running(system.settings, **ANY) as gateway,
    ):
        # Without one, the first key that is made would shut everybody out.
        _, key = Keyring(system.client.storage).make("default", [Scope.ADMIN])
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{gateway.url}/openapi.json"),
                *("--checks", ",".join(CHECKS), "--phases", "examples,fuzzing", *AWAY),
                *("--max-time", str(SECONDS), "--seed", "1", "--request-timeout", "60"),
                # A slow machine is no fault of the description.
                *("--suppress-health-check", "too_slow"),
                *("--no-color", "--header", f"X-Api-Key: {key}"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
