"""What `dubbing engine-server` answers is what its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import engine_servers

SECONDS = 8
"""How long requests are made up; `schemathesis run` goes on for as long as one likes."""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)


def test_no_request_finds_an_answer_that_is_not_documented(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"{engine_servers.shared().url}/openapi.json",
            *("--checks", ",".join(CHECKS), "--phases", "examples,fuzzing"),
            *("--max-time", str(SECONDS), "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
