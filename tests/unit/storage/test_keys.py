"""Keys that were read anywhere: nothing outside of storage is read or written by them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from dubbing.errors import BadInput, Damaged
from dubbing.job import Background, Job
from dubbing.job.role import Role
from dubbing.jobs.store import End, load_job
from dubbing.planning.plan import Reason, Round
from dubbing.planning.result import Take
from dubbing.storage import Storage

OUTSIDE = ["/etc/passwd", "../beside", "media/../../beside", "media//x", "./x", "..", "a\\..\\b"]
ODD = ["media/x\0.mkv", "media/x\n", "media/\x1b[2J", "//x", "."]
CALLS: dict[str, Callable[[Storage, str], object]] = {
    "get": lambda storage, key: storage.get(key),
    "get_range": lambda storage, key: storage.get_range(key, 0, 1),
    "create": lambda storage, key: storage.create(key, b"x"),
    "replace": lambda storage, key: storage.replace(key, b"x"),
    "upload": lambda storage, key: storage.upload(key, Path(__file__)),
    "download": lambda storage, key: storage.download(key, Path(storage.url) / "copy"),
    "size": lambda storage, key: storage.size(key),
    "modified": lambda storage, key: storage.modified(key),
    "exists": lambda storage, key: storage.exists(key),
    "delete": lambda storage, key: storage.delete(key),
    "path": lambda storage, key: storage.path(key),
    "keys": lambda storage, key: list(storage.keys(key)),
    "folders": lambda storage, key: storage.folders(key),
}


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    (tmp_path / "beside").write_text("secret")
    storage = Storage.at(str(tmp_path / "storage"))
    storage.create("media/film", b"film")
    return storage


@pytest.mark.parametrize("name", CALLS)
def test_a_key_that_is_not_plain_is_refused(storage: Storage, tmp_path: Path, name: str) -> None:
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    for key in (*OUTSIDE, *ODD, str(tmp_path / "beside")):
        with pytest.raises(BadInput, match="no key in storage"):
            CALLS[name](storage, key)
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("name", CALLS)
def test_a_link_that_leads_out_of_the_folder_is_refused(
    storage: Storage, tmp_path: Path, name: str
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").write_text("secret")
    (tmp_path / "storage" / "media" / "link").symlink_to(tmp_path / "beside")
    (tmp_path / "storage" / "clips").symlink_to(tmp_path / "other")
    for key in ("media/link", "clips/x", "clips/new"):
        with pytest.raises(BadInput, match="leads out of it"):
            CALLS[name](storage, key)
    assert (tmp_path / "beside").read_text() == (tmp_path / "other" / "x").read_text() == "secret"
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["x"]


def test_a_link_to_the_folder_or_within_it_is_followed(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").symlink_to(tmp_path / "storage")
    (tmp_path / "storage" / "media" / "same").symlink_to(tmp_path / "storage" / "media" / "film")
    assert Storage.at(str(tmp_path / "elsewhere")).get("media/same") == b"film"


@pytest.mark.parametrize("key", [*OUTSIDE, *ODD, "jobs/a/job.json", "media", "s3://bucket"])
def test_a_stored_document_names_keys_of_their_kind_alone(key: str) -> None:
    documents: list[Callable[[], object]] = [
        lambda: Job(id="a", language="de", media=key),
        lambda: Job(id="a", language="de", background=Background(mode="track", track=key)),
        lambda: Role(clone=f"{key}/.."),
        lambda: Round(reason=Reason.REVISE, asked=2, request=key),
        lambda: Take(key=key, speed=1, seconds=1, level=-20),
        lambda: End(state="completed", round=1, output=key),
    ]
    for document in documents:
        with pytest.raises(ValidationError):
            document()


def test_a_stored_request_is_of_its_own_job(storage: Storage) -> None:
    storage.create("jobs/a/job.json", Job(id="b", language="de").model_dump_json().encode())
    with pytest.raises(Damaged, match="of another job, 'b'"):
        load_job(storage, "a")
