"""What no line of a log shows."""

from __future__ import annotations

import pytest

from dubbing.telemetry.masking import Mask

PRESIGNED = (
    "https://s3.example/films/a.mkv?X-Amz-Credential=AKIA%2F2026&X-Amz-Date=20261130"
    "&X-Amz-Signature=0a1b2c"
)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("redis://:pw@host:6379/0 is away", "redis://:***@host:6379/0 is away"),
        ("no answer from https://ann:s3cret@host/v1", "no answer from https://ann:***@host/v1"),
        ("Authorization: Bearer sk-abc.def-123", "Authorization: Bearer ***"),
        ("GET /v1/me?api_key=abc&page=2: 200", "GET /v1/me?api_key=***&page=2: 200"),
        (
            PRESIGNED,
            "https://s3.example/films/a.mkv?X-Amz-Credential=***&X-Amz-Date=20261130"
            "&X-Amz-Signature=***",
        ),
        ("the key is tOpS3cret", "the key is ***"),
        ("{'auth': 'tOpS3cret-too'}", "{'auth': '***'}"),
    ],
)
def test_secrets_are_masked(line: str, shown: str) -> None:
    assert Mask(["tOpS3cret", "tOpS3cret-too", ""])(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "https://host:8080/jobs?page=2&tokens=5 is fine",
        "job=a round=1: 12 lines at 10:30:05, mail me@example.com",
        "a basic word, the bearer of news",
        "s3://films/2026/a:b@c.mkv",
    ],
)
def test_what_is_no_secret_is_shown(line: str) -> None:
    assert Mask(["a"])(line) == line
