"""What tests do about what a machine may lack, and where the faulty engine lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

PLUGINS = Path(__file__).parent / "plugins"
"""On a process's PYTHONPATH, this folder brings the engine ``faulty``."""

PLAIN = "qaa"
"""A language of which nothing is known: what is said is what is written, digits and all."""


def unavailable(what: str) -> NoReturn:
    """Skip the test on a laptop; fail it on CI."""
    # Scripts use what is here without the tests' own libraries.
    import pytest

    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")
