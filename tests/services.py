"""Handling of services that a machine may lack, and the location of the faulty engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

PLUGINS = Path(__file__).parent / "plugins"
"""On a process's PYTHONPATH, this folder provides the engine ``faulty``."""

PLAIN = "qaa"
"""An unknown language: text is spoken as written, including digits."""


def unavailable(what: str) -> NoReturn:
    """Skip the test on a laptop; fail it on CI."""
    # Scripts import this module without the tests' own libraries.
    import pytest

    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")
