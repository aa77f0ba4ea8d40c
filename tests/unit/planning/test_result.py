from __future__ import annotations

import pytest
from pydantic import ValidationError

from dubbing.planning.result import Take
from dubbing.storage.keys import Keys


def take(key: str) -> Take:
    return Take(key=key, speed=1.0, seconds=1.0, level=-20.0)


def test_a_take_is_a_clip_and_lies_nowhere_else() -> None:
    for digest in ("ab" * 32, "a", "a.b"):
        assert take(Keys.clip(digest)).key == Keys.clip(digest)
    for key in ("clips/../x.flac", "clips/./x.flac", "clips/ab/../x.flac", "media/x.flac"):
        with pytest.raises(ValidationError):
            take(key)
