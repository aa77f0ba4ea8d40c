"""Fetching a model from a stand-in for the Hugging Face hub, by the hub's own library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hub import COMMIT, Hub, serving

from dubbing.engines.models.folders import Weights
from dubbing.engines.models.hub import Fetched, fetch
from dubbing.errors import BadInput, Conflict, EngineMissing, NotFound, Transient

REPOSITORY = "authors/singer"
FILES = {
    "README.md": b"# Singer",
    "weights/config.json": b'{"language": "en"}',
    "weights/model.bin": bytes(range(256)) * 40,
    "other/model.bin": b"of another model",
}
WEIGHTS = Weights(
    files=("config.json", "model.bin"),
    home="https://example.org/singer",
    repository=REPOSITORY,
    fetched=("weights/*",),
)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving({REPOSITORY: FILES}) as hub:
        yield hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "singer"


def fetched(hub: Hub, folder: Path, weights: Weights = WEIGHTS, **options: Any) -> Fetched:
    return fetch(weights, folder, endpoint=hub.url, **options)


def test_the_models_files_come_whole_and_alone(hub: Hub, folder: Path) -> None:
    found = fetched(hub, folder)
    assert found == Fetched(
        repository=REPOSITORY,
        commit=COMMIT,
        folder=folder,
        files=("config.json", "model.bin"),
        size=18 + 10240,
    )
    there = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert there == {
        "config.json": FILES["weights/config.json"],
        "model.bin": FILES["weights/model.bin"],
    }
    assert not any(path.is_symlink() for path in folder.iterdir())
    assert list(folder.parent.iterdir()) == [folder]


def test_files_without_a_folder_are_fetched_by_their_names(hub: Hub, folder: Path) -> None:
    hub.repositories["authors/plain"] = {"model.bin": b"x" * 5000, "notes.txt": b"no"}
    plain = Weights(files=("*.bin",), home="", repository="authors/plain")
    assert fetched(hub, folder, plain).files == ("model.bin",)


def test_only_the_hub_that_is_named_is_asked(hub: Hub, folder: Path) -> None:
    fetched(hub, folder)
    kinds = {path.split()[1].split("/")[1] for path in hub.asked}
    # Its answer names where large files are.
    assert kinds == {"api", "authors", "elsewhere"}
    assert not hub.sent("README.md")
    assert not hub.sent("other/model.bin")


def test_a_download_that_breaks_off_leaves_no_model_and_is_gone_on_with(
    hub: Hub, folder: Path
) -> None:
    hub.breaks_off.add("weights/model.bin")
    with pytest.raises(Transient, match=f"{hub.url} does not give {REPOSITORY}.*try again"):
        fetched(hub, folder)
    assert not folder.exists()
    assert WEIGHTS.missing(folder) == ["config.json", "model.bin"]
    hub.breaks_off.clear()
    fetched(hub, folder)
    assert (folder / "model.bin").read_bytes() == FILES["weights/model.bin"]
    assert hub.sent("weights/config.json") == 1
    assert list(folder.parent.iterdir()) == [folder]


def test_what_is_left_of_an_older_commit_is_not_taken(hub: Hub, folder: Path) -> None:
    hub.breaks_off.add("weights/model.bin")
    with pytest.raises(Transient):
        fetched(hub, folder)
    hub.breaks_off.clear()
    hub.commit = COMMIT[::-1]
    hub.repositories[REPOSITORY]["weights/config.json"] = b'{"language": "de"}'
    hub.withheld.add("weights/config.json")
    with pytest.raises(Transient):
        fetched(hub, folder)
    hub.withheld.clear()
    assert fetched(hub, folder).commit == COMMIT[::-1]
    assert json.loads((folder / "config.json").read_text()) == {"language": "de"}
    assert list(folder.parent.iterdir()) == [folder]


def test_a_file_that_is_not_what_the_hub_promised_is_refused(hub: Hub, folder: Path) -> None:
    hub.mistaken.add("weights/model.bin")
    with pytest.raises(Transient, match=r"weights/model\.bin of authors/singer arrived damaged"):
        fetched(hub, folder)
    assert not folder.exists()
    hub.mistaken.clear()
    fetched(hub, folder)
    assert (folder / "model.bin").read_bytes() == FILES["weights/model.bin"]


def test_the_models_own_commit_is_fetched_and_its_digests_hold(hub: Hub, folder: Path) -> None:
    sha256 = hashlib.sha256(FILES["weights/model.bin"]).hexdigest()
    own = replace(WEIGHTS, revision=COMMIT[::-1], sha256={"weights/model.bin": sha256})
    with pytest.raises(NotFound, match="no such revision"):
        fetched(hub, folder, own)
    hub.commit = COMMIT[::-1]
    hub.repositories[REPOSITORY]["weights/model.bin"] = bytes(10240)
    with pytest.raises(BadInput, match=r"model\.bin differs from"):
        fetched(hub, folder, own)
    assert not folder.exists()
    # Whoever names a revision takes the file that it has.
    assert fetched(hub, folder, own, revision="main").commit == COMMIT[::-1]


def test_a_hub_that_is_away_is_told(folder: Path) -> None:
    with serving({}) as gone:
        pass
    with pytest.raises(Transient, match=f"{gone.url} does not give authors/singer"):
        fetched(gone, folder)
    assert not folder.parent.exists()


def test_a_file_whose_name_would_give_the_terminal_orders_is_refused(
    hub: Hub, folder: Path
) -> None:
    hub.repositories["authors/loud"] = {"\x1b]0;title\x07/model.bin": b"1"}
    loud = Weights(files=("*.bin",), home="", repository="authors/loud")
    with pytest.raises(BadInput, match=r"named '\\x1b]0;title"):
        fetched(hub, folder, loud)
    assert not hub.sent("model.bin")


def test_a_commit_that_is_a_path_is_no_commit(hub: Hub, folder: Path, tmp_path: Path) -> None:
    hub.commit = "../../../stolen"
    with pytest.raises(Transient, match="is not a commit"):
        fetched(hub, folder)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("name", ["../../stolen.bin", "/tmp/stolen.bin", "a/../../../stolen.bin"])
def test_what_leads_out_of_the_folder_is_not_written(
    hub: Hub, folder: Path, tmp_path: Path, name: str
) -> None:
    hub.repositories["authors/thief"] = {name: b"1"}
    thief = Weights(files=("*.bin",), home="", repository="authors/thief")
    with pytest.raises(Transient, match="Invalid filename"):
        fetched(hub, folder, thief)
    assert not folder.exists()
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".bin"]


def test_two_files_of_one_name_are_not_mixed_up(hub: Hub, folder: Path) -> None:
    both = Weights(files=("model.bin",), home="", repository=REPOSITORY, fetched=("*/model.bin",))
    with pytest.raises(BadInput, match=r"several model\.bin"):
        fetched(hub, folder, both)
    assert not folder.exists()


def test_a_model_that_is_there_is_not_overwritten(hub: Hub, folder: Path) -> None:
    folder.mkdir(parents=True)
    fetched(hub, folder)
    (folder / "config.json").write_text("mine")
    with pytest.raises(Conflict, match="move it away"):
        fetched(hub, folder)
    assert (folder / "config.json").read_text() == "mine"
    with pytest.raises(Conflict, match="move it away"):
        fetched(hub, folder / "config.json")


def test_a_folder_that_is_a_link_is_filled_where_it_leads(
    hub: Hub, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "disk" / "big").mkdir(parents=True)
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "disk" / "big")
    fetched(hub, folder)
    assert WEIGHTS.missing(folder) == []
    assert (tmp_path / "disk" / "big" / "model.bin").is_file()


def test_what_the_hub_does_not_have_is_named(hub: Hub, folder: Path) -> None:
    nobody = Weights(files=("model.bin",), home="", repository="authors/nobody")
    with pytest.raises(NotFound, match="authors/nobody"):
        fetched(hub, folder, nobody)
    with pytest.raises(NotFound, match="revision"):
        fetched(hub, folder, revision="v2")
    more = Weights(
        files=("config.json", "vocab.json"), home="https://a.example", repository=REPOSITORY
    )
    with pytest.raises(NotFound, match=r"vocab\.json: look at https://a\.example"):
        fetched(hub, folder, more)
    hub.gated = True
    with pytest.raises(NotFound, match=f"agreed.*{hub.url}/authors/singer.*HF_TOKEN"):
        fetched(hub, folder)
    assert not folder.parent.exists()


def test_what_has_no_repository_is_got_by_hand(folder: Path) -> None:
    by_hand = Weights(files=("a.onnx",), home="https://example.org/voices")
    with pytest.raises(BadInput, match=r"get a\.onnx from https://example\.org/voices"):
        fetch(by_hand, folder)


def test_a_folder_that_cannot_be_made_is_told(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(BadInput, match="cannot be made"):
        fetched(hub, tmp_path / "models" / "singer")


def test_without_the_library_the_extra_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(EngineMissing, match=r"pip install 'dubbing\[fetch\]'"):
        fetch(WEIGHTS, folder)
