from __future__ import annotations

from pathlib import Path

import pytest

from dubbing.errors import MediaError
from dubbing.media.disk import check_space


def test_a_full_storage_is_not_blamed_on_the_temporary_folder(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="make room in this storage"):
        check_space({tmp_path: 10**18}, stored=tmp_path)
    with pytest.raises(MediaError, match="make room, or set TMPDIR"):
        check_space({tmp_path: 10**18})
