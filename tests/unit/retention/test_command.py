"""`dubbing gc` at the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dubbing.cli import main
from dubbing.storage import Keys, Storage

GARBAGE = Keys.clip("ab" * 32)


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    monkeypatch.setenv("DUBBING_STORAGE_URL", str(tmp_path / "storage"))
    monkeypatch.setattr(os, "nice", lambda by: None)
    storage = Storage.at(str(tmp_path / "storage"))
    storage.create(GARBAGE, bytes(1500))
    os.utime(tmp_path / "storage" / GARBAGE, (0, 0))
    return storage


def gc(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["gc", *arguments])
    return int(ended.value.code or 0)


def test_it_tells_what_it_would_remove_and_removes_it(
    storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    storage.create(Keys.INSTALLATION, b"0" * 32)
    assert gc("--dry-run") == 0
    assert "1 object of 1.5 kB would be removed" in capsys.readouterr().out
    assert storage.exists(GARBAGE)
    assert gc("--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["removed"] == [{"kind": "clips", "tenant": "*", "objects": 1, "bytes": 1500}]
    assert not storage.exists(GARBAGE)


def test_a_folder_that_is_no_storage_and_a_wrong_rule_are_refused(
    storage: Storage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gc() == 2
    assert "is no storage of an installation" in capsys.readouterr().err
    monkeypatch.setenv("DUBBING_RETENTION", '{"*": {"outputs": "soon"}}')
    assert gc() == 2
    assert "'soon' is no age or size" in capsys.readouterr().err
    assert storage.exists(GARBAGE)
