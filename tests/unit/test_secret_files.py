"""Settings whose values lie in files, as secrets of containers do."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubbing.errors import BadInput
from dubbing.settings import Settings


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a password; the working folder has no ``.env``."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "redis-password"
    path.write_text("öpen/sesame\n")
    return path


def test_a_password_in_a_file_becomes_a_part_of_the_address(
    secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBBING_REDIS_PASSWORD_FILE", str(secret))
    monkeypatch.setenv("DUBBING_REDIS_URL", "redis://anna@redis:6379/0")
    assert Settings().redis == "redis://anna:%C3%B6pen%2Fsesame@redis:6379/0"
    monkeypatch.setenv("DUBBING_REDIS_URL", "redis://:own@redis:6379/0")
    assert Settings().redis == "redis://:own@redis:6379/0"


def test_a_line_of_the_env_file_may_name_the_file(secret: Path) -> None:
    Path(".env").write_text(f"DUBBING_S3_ACCESS_KEY_ID_FILE={secret}\n")
    assert Settings().s3_access_key_id == "öpen/sesame"


def test_a_variable_goes_before_its_file(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBBING_S3_ACCESS_KEY_ID_FILE", str(secret))
    monkeypatch.setenv("DUBBING_S3_ACCESS_KEY_ID", "known")
    assert Settings().s3_access_key_id == "known"


def test_an_empty_file_holds_no_value(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret.write_text("\n")
    monkeypatch.setenv("TTS_API_KEY_FILE", str(secret))
    assert Settings().tts_api_key is None
    assert Settings.key("TTS_API_KEY") == ""


def test_keys_of_endpoints_lie_in_files_too(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBBING_KEY_AUTODL_FILE", str(secret))
    assert Settings.key("DUBBING_KEY_AUTODL") == "öpen/sesame"
    assert Settings.key("DUBBING_KEY_OTHER") == ""


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret.unlink() if content is None else secret.write_bytes(content)
    monkeypatch.setenv("DUBBING_REDIS_PASSWORD_FILE", str(secret))
    with pytest.raises(BadInput, match=rf"DUBBING_REDIS_PASSWORD_FILE={secret}: the file cannot"):
        Settings()


def test_the_file_of_authorities_is_no_file_of_a_value(
    secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBBING_CA_FILE", str(secret))
    with pytest.raises(BadInput, match="no certificate in PEM"):
        Settings()
