"""The folders of models, and that nothing in them reaches outside."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dubbing.engines.models.folders import (
    ModelFolders,
    Weights,
    digest_files,
    read_config,
    require_files,
    within,
)
from dubbing.errors import BadInput, EngineMissing
from dubbing.settings import Settings

WEIGHTS = Weights(files=("config.json", "*.pth"), home="https://example.org/model")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model in it, and beside it files that do not belong to the model."""
    folder = tmp_path / "models" / "vits"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.pth").write_bytes(b"weights")
    (tmp_path / "secret.json").write_text("{}")
    return folder


def config(folder: Path, **fields: Any) -> dict[str, Any]:
    (folder / "config.json").write_text(json.dumps(fields))
    return read_config(folder, "config.json")


@pytest.mark.parametrize(
    "name", ["../../secret.json", "/etc/passwd", "sub/../../other", "..", "a\0b"]
)
def test_a_file_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(BadInput, match="vits"):
        within(folder, name)


@pytest.mark.parametrize("name", ["model.pth", "sub/model.pth", "sub/../model.pth"])
def test_a_file_in_the_folder_is_found(folder: Path, name: str) -> None:
    assert within(folder, name) == (folder / name).resolve()


def test_a_link_that_leads_outside_is_refused(folder: Path) -> None:
    (folder / "speakers.json").symlink_to("../../secret.json")
    with pytest.raises(BadInput, match=r"speakers\.json.*copy it there"):
        within(folder, "speakers.json")
    with pytest.raises(BadInput, match="outside"):
        read_config(folder, "speakers.json")


def test_a_link_to_itself_is_refused(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to("config.json")
    with pytest.raises(BadInput, match=r"config\.json"):
        read_config(folder, "config.json")


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    (folder / "best.pth").symlink_to("model.pth")
    assert within(folder, "best.pth") == folder.resolve() / "model.pth"


def test_a_models_folder_may_itself_be_a_link(folder: Path) -> None:
    (folder.parent / "vits-de").symlink_to(folder)
    require_files(WEIGHTS, folder.parent / "vits-de", "vits-de")
    assert read_config(folder.parent / "vits-de", "config.json") == {}


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/model.pth",
        "s3://bucket/model.pth",
        "hf://models/x",
        "FILE:///etc/passwd",
        "simplecache::s3://bucket/model.pth",
        "filecache::/etc/passwd",
        "data:text/plain;base64,AA==",
    ],
)
def test_an_address_in_a_configuration_is_refused_wherever_it_stands(
    folder: Path, address: str
) -> None:
    with pytest.raises(BadInput, match=r"config\.json: vocoder: .*own folder"):
        config(folder, vocoder=address)
    with pytest.raises(BadInput, match=r"files\[1\]\[0\]\.path"):
        config(folder, files=["a.pth", [{"path": address}]])


def test_every_address_is_listed(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"(?s)model: .*args\.encoder: "):
        config(folder, model="https://a.example", args={"encoder": "s3://b"})


def test_what_only_looks_like_an_address_is_none(folder: Path) -> None:
    fields = {"punctuation": ":;!?::", "path": "C:\\models\\x.pth", "time": "12:30", "rate": 22050}
    assert config(folder, **fields) == fields


def test_settings_that_nothing_reads_may_be_addresses(folder: Path) -> None:
    (folder / "config.json").write_text('{"distributed_url": "tcp://localhost:5432", "a": 1}')
    assert read_config(folder, "config.json", ["distributed_url"]) == {"a": 1}


@pytest.mark.parametrize("content", ["[]", "1", "{", '"text"', '{"a": ' * 5000])
def test_what_is_no_configuration_is_refused(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(BadInput, match=r"config\.json"):
        read_config(folder, "config.json")


def test_a_deep_configuration_is_searched_to_its_end(folder: Path) -> None:
    deep = '{"a": ' * 400 + '"s3://bucket"' + "}" * 400
    (folder / "config.json").write_text(deep)
    with pytest.raises(BadInput, match="'s3://bucket' is an address"):
        read_config(folder, "config.json")


def test_what_is_missing_is_told_with_where_to_get_it(folder: Path) -> None:
    require_files(WEIGHTS, folder, "vits")
    (folder / "model.pth").unlink()
    with pytest.raises(EngineMissing, match=r"'vits' lacks \*\.pth in .*example\.org") as told:
        require_files(WEIGHTS, folder, "vits")
    assert "fetch" not in str(told.value)
    hosted = Weights(files=("a",), home="https://example.org", repository="authors/model")
    with pytest.raises(EngineMissing, match="`dubbing models fetch vits-de`"):
        require_files(hosted, folder, "vits-de")


def test_a_folder_in_a_files_place_is_no_file(folder: Path) -> None:
    (folder / "model.pth").unlink()
    (folder / "model.pth").mkdir()
    assert WEIGHTS.missing(folder) == ["*.pth"]


def test_a_model_whose_file_is_a_link_to_elsewhere_is_refused(folder: Path) -> None:
    (folder / "more.pth").symlink_to("../../secret.json")
    with pytest.raises(BadInput, match=r"more\.pth"):
        require_files(WEIGHTS, folder, "vits")
    with pytest.raises(BadInput, match=r"more\.pth"):
        WEIGHTS.size(folder)


def test_a_file_counts_once_however_many_patterns_it_fits(folder: Path) -> None:
    assert Weights(files=("*.pth", "model.*"), home="").size(folder) == len(b"weights")


@pytest.mark.parametrize("name", ["../vits", "..", "/etc", "vits/..", "", ".vits", "a b"])
def test_a_name_that_is_no_name_has_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="not an engine name"):
        ModelFolders(root=tmp_path).of(name)


def test_a_folder_that_is_named_goes_before_the_models_folder(folder: Path) -> None:
    folders = ModelFolders(root=folder.parent, named={"xtts": Path("/weights/XTTS-v2")})
    assert folders.of("vits") == folder
    assert folders.of("xtts") == Path("/weights/XTTS-v2")
    (folder.parent / ".vits-de.part").mkdir()
    (folder.parent / "a.txt").write_text("")
    assert folders.names() == ["vits", "xtts"]


def test_settings_refuse_a_folder_for_what_is_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBBING_MODEL_FOLDERS", '{"vits-../x": "/etc"}')
    with pytest.raises(BadInput, match="DUBBING_MODEL_FOLDERS"):
        Settings()
    monkeypatch.setenv("DUBBING_MODEL_FOLDERS", "vits=/etc")
    with pytest.raises(BadInput, match="DUBBING_MODEL_FOLDERS is not JSON"):
        Settings()


def test_a_digest_is_of_what_is_in_the_files(folder: Path, tmp_path: Path) -> None:
    def digest(folder: Path) -> str:
        return digest_files(folder / name for name in ("model.pth", "config.json"))

    before = digest(folder)
    os.utime(folder / "model.pth", (1, 1))
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert digest(folder) == digest(copy) == before
    assert digest_files(folder / name for name in ("config.json", "model.pth")) == before
    (copy / "model.pth").write_bytes(b"wEights")
    assert digest(copy) != before
    # The same contents, under each other's names.
    (copy / "model.pth").write_bytes((folder / "config.json").read_bytes())
    (copy / "config.json").write_bytes((folder / "model.pth").read_bytes())
    assert digest(copy) != before
