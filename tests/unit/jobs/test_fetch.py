"""Names of fetched files: after the script, and different for each job."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubbing.errors import BadInput
from dubbing.job import Job, Output
from dubbing.job.job import plain_name
from dubbing.jobs.fetch import distinct, fetch_output
from dubbing.script.loader import load
from dubbing.storage import Storage

SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello\n"


def job(id_: str, name: str | None, language: str = "de") -> Job:
    return Job(id=id_, language=language, output=Output(name=name))


def script(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SRT)
    return path


@pytest.mark.parametrize(
    ("jobs", "names"),
    [
        ([job("a", "e01"), job("b", "e02")], ["e01", "e02"]),
        ([job("a", "e01", "de"), job("b", "e01", "fr"), job("c", "e02")], [
            "e01.de", "e01.fr", "e02",
        ]),
        ([job("a", "e01"), job("b", "e01"), job("c", "e01", "fr")], ["e01.a", "e01.b", "e01.fr"]),
        ([job("a", None), job("b", ""), job("c", "e01")], ["a", "b", "e01"]),
        ([job("e01", None), job("b", "e01", "fr")], ["e01.de", "e01.fr"]),
        # Names chosen so that they collide.
        ([job("a", "x"), job("b", "x"), job("c", "x.a")], ["a", "b", "c"]),
    ],
)  # fmt: skip
def test_the_files_of_no_job_are_named_like_anothers(jobs: list[Job], names: list[str]) -> None:
    assert distinct(jobs) == dict(zip([job.id for job in jobs], names, strict=True))


def test_files_are_named_after_what_was_handed_in(tmp_path: Path) -> None:
    named = load(script(tmp_path, "e01.de.srt"), {"language": "de"})
    assert named.output.name == "e01.de"
    (tmp_path / "scene.json").write_text('{"language": "de", "script": "e01.de.srt"}')
    assert load(tmp_path / "scene.json").output.name == "scene"
    chosen = load(tmp_path / "scene.json", {"output": {"name": "The Film"}})
    assert chosen.output.name == "The Film"
    assert load(tmp_path / "scene.json", {"output": {"name": ""}}).output.name == ""


def test_the_same_request_under_another_name_is_the_same_request() -> None:
    one, two, unnamed = (job(id_, name) for id_, name in (("a", "one"), ("b", "zwei"), ("c", None)))
    assert one.digest() == two.digest() == unnamed.digest()
    other = one.model_copy(update={"output": Output(name="one", subtitles=False)})
    assert other.digest() != one.digest()


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", " a", "a\nb", "a\0b", "a\\b", "ä" * 101])
def test_a_name_that_no_file_should_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"output\.name"):
        load(script(tmp_path, "one.srt"), {"language": "de", "output": {"name": name}})


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("Folge 1 – Größe", "Folge 1 – Größe"),
        ("a\\b\tc", "a_b_c"),
        ("\udcff", "_"),
        (" .a", "a"),
        ("...", ""),
        ("ä" * 150, "ä" * 100),
        ("a" + "ä" * 150, "a" + "ä" * 99),
    ],
)
def test_a_script_of_any_name_names_its_files(stem: str, name: str) -> None:
    assert plain_name(stem) == name


def test_what_is_fetched_beside_its_script_and_film_overwrites_neither(tmp_path: Path) -> None:
    storage = Storage.at(str(tmp_path / "storage"))
    for name in ("dub.mp4", "dub.srt", "report.json"):
        storage.create(f"jobs/a/output/1/run/{name}", b"made")
    sources = [script(tmp_path, name) for name in ("e01.srt", "e01.mp4", "e01.json")]
    paths = fetch_output(storage, "jobs/a/output/1/run/", tmp_path, "e01")
    assert [path.name for path in paths] == ["e01.dub.mp4", "e01.dub.srt", "e01.report.json"]
    assert all(source.read_text() == SRT for source in sources)
    paths = fetch_output(storage, "jobs/a/output/1/run/", tmp_path / "new" / "out", "")
    assert [path.name for path in paths] == ["dub.mp4", "dub.srt", "report.json"]
