"""Libraries that a command needs and that an extra brings."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from dubbing.errors import EngineMissing


def check_libraries(names: Sequence[str], extra: str) -> None:
    """Raise EngineMissing, naming the extra, unless all libraries are installed."""
    if missing := [name for name in names if not find_spec(name)]:
        raise EngineMissing(
            f"{', '.join(missing)} is not installed: pip install 'dubbing[{extra}]'"
        )
