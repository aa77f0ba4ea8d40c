"""Shared fixtures of the tests of remote engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.remote.pool import Pools
from dubbing.engines.remote.registry import Registry
from dubbing.storage import Storage


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """The endpoints of an installation that has none yet."""
    storage = Storage.at(str(tmp_path / "storage"))
    pools = Pools(lambda: storage)
    return Registry(Catalogue(pools=pools), pools)
