"""A pickle that runs code, for tests of readers of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Evil:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._trace,)
