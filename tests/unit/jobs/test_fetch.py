"""Fetched files: named after the script, different for each job, and in nobody's way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scenes import scene, voice

from dubbing.assembly.report import Report, ReportOutput
from dubbing.errors import BadInput, Conflict, Damaged
from dubbing.job import Job, JobState, Output
from dubbing.job.output import plain_name
from dubbing.jobs.fetch import distinct, fetch_lines, fetch_output
from dubbing.jobs.status import Status
from dubbing.media.samples import encode_flac
from dubbing.script.loader import load
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

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


def test_a_job_whose_files_are_delivered_under_another_name_is_another_request() -> None:
    plain = job("a", None)
    first, same, second, elsewhere = (
        plain.model_copy(update={"output": Output(name=name, to=to)}).digest()
        for name, to in (
            ("one", "s3://films/de"),
            ("one", "s3://films/de/"),
            ("two", "s3://films/de"),
            ("one", "s3://films/fr"),
        )
    )
    assert first == same
    assert len({plain.digest(), first, second, elsewhere}) == 4


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


PREFIX = "jobs/a/output/1/run/"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


def store_output(storage: Storage, job_id: str = "a", **made: bytes) -> str:
    """Store a job's outputs and report, by the endings of their names; return their prefix."""
    prefix = PREFIX.replace("/a/", f"/{job_id}/")
    outputs = tuple(
        ReportOutput(name=f"dub.{ending}", key=f"{prefix}dub.{ending}", bytes=len(data))
        for ending, data in made.items()
    )
    state = JobState.COMPLETED
    report = Report(job=job_id, round=1, state=state, language="de", outputs=outputs, lines=())
    for output, data in zip(outputs, made.values(), strict=True):
        storage.replace(output.key, data)
    storage.replace(f"{prefix}report.json", report.model_dump_json().encode())
    return prefix


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_what_is_fetched_beside_its_script_and_film_overwrites_neither(
    storage: Storage, tmp_path: Path
) -> None:
    prefix = store_output(storage, mp4=b"film", srt=b"text")
    sources = [script(tmp_path, name) for name in ("e01.srt", "e01.mp4", "e01.json")]
    paths = fetch_output(storage, prefix, tmp_path, "e01")
    assert [path.name for path in paths] == ["e01.dub.mp4", "e01.dub.srt", "e01.report.json"]
    assert all(source.read_text() == SRT for source in sources)
    paths = fetch_output(storage, prefix, tmp_path / "new" / "out", "")
    assert [path.name for path in paths] == ["dub.mp4", "dub.srt", "report.json"]


def test_the_page_of_the_report_is_fetched_where_there_is_one(
    storage: Storage, tmp_path: Path
) -> None:
    fetch_output(storage, store_output(storage, flac=b"one"), tmp_path, "")
    assert files_in(tmp_path).keys() == {"dub.flac", "report.json"}
    prefix = store_output(storage, flac=b"two")
    for page in (b"page", b"another"):
        storage.replace(f"{prefix}report.html", page)
        fetch_output(storage, prefix, tmp_path, "")
        assert files_in(tmp_path)["report.html"] == page


def test_a_page_that_nobody_fetched_is_not_overwritten(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    prefix = store_output(storage, flac=b"one")
    storage.create(f"{prefix}report.html", b"page")
    with pytest.raises(Conflict, match="in the way"):
        fetch_output(storage, prefix, tmp_path, "")
    assert files_in(tmp_path) == {"report.html": b"mine"}


def test_an_object_that_the_report_does_not_name_is_not_fetched(
    storage: Storage, tmp_path: Path
) -> None:
    prefix = store_output(storage, flac=b"sound")
    for name in (".bashrc", "Makefile", "dub.mp4", "lines/1.flac"):
        storage.create(prefix + name, b"planted")
    fetch_output(storage, prefix, tmp_path / "out", "")
    assert {path.name for path in (tmp_path / "out").rglob("*")} == {"dub.flac", "report.json"}


@pytest.mark.parametrize(
    "name",
    [
        "../up.mp4",
        "/etc/passwd",
        ".bashrc",
        "Makefile",
        "dub./../x",
        "dub.mp4\n",
        "lines/../1.flac",
    ],
)
def test_a_report_that_names_anything_else_is_refused(
    storage: Storage, tmp_path: Path, name: str
) -> None:
    prefix = store_output(storage, mp4=b"film")
    report = json.loads(storage.get(f"{prefix}report.json"))
    report["outputs"][0]["name"] = name
    storage.replace(f"{prefix}report.json", json.dumps(report).encode())
    with pytest.raises(Damaged, match=r"report\.json cannot be read: it is damaged"):
        fetch_output(storage, prefix, tmp_path / "out", "")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("size", [4, 5])
def test_a_file_that_no_fetch_wrote_is_in_the_way(
    storage: Storage, tmp_path: Path, size: int
) -> None:
    prefix = store_output(storage, flac=b"loud", mp4=b"film")
    (tmp_path / "dub.mp4").write_bytes(b"mine!"[:size])
    with pytest.raises(Conflict, match=r"dub\.mp4 is in the way.*move it"):
        fetch_output(storage, prefix, tmp_path, "")
    assert files_in(tmp_path) == {"dub.mp4": b"mine!"[:size]}
    assert {path.name for path in tmp_path.iterdir()} == {"dub.mp4", "storage"}


def test_files_of_an_earlier_fetch_give_way_and_files_of_another_job_do_not(
    storage: Storage, tmp_path: Path
) -> None:
    fetch_output(storage, store_output(storage, mp4=b"film", srt=b"text"), tmp_path, "")
    fetch_output(storage, PREFIX, tmp_path, "")
    prefix = store_output(storage, mp4=b"longer film", srt=b"text")
    fetch_output(storage, prefix, tmp_path, "")
    assert files_in(tmp_path)["dub.mp4"] == b"longer film"
    other = store_output(storage, "b", mp4=b"another")
    with pytest.raises(Conflict, match="was not fetched for job 'b'"):
        fetch_output(storage, other, tmp_path, "")
    assert files_in(tmp_path)["dub.mp4"] == b"longer film"
    fetch_output(storage, other, tmp_path, "", replace=True)
    assert files_in(tmp_path)["dub.mp4"] == b"another"


def test_a_fetched_file_that_was_changed_since_is_kept(storage: Storage, tmp_path: Path) -> None:
    fetch_output(storage, store_output(storage, srt=b"text"), tmp_path, "")
    (tmp_path / "dub.srt").write_bytes(b"text, corrected by hand")
    with pytest.raises(Conflict, match=r"dub\.srt is in the way"):
        fetch_output(storage, store_output(storage, srt=b"new text"), tmp_path, "")
    assert files_in(tmp_path)["dub.srt"] == b"text, corrected by hand"


def spoken_scene(storage: Storage) -> Status:
    """Store a job whose lines are spoken; return where it stands."""
    storage.create(Keys.job("scene"), scene(storage).model_dump_json().encode())
    return Status(id="scene", state=JobState.SYNTHESIZING, round=1, lines=4)


def test_lines_are_verified_and_only_those_of_an_earlier_fetch_are_removed(
    storage: Storage, tmp_path: Path
) -> None:
    status = spoken_scene(storage)
    fetch_output(storage, store_output(storage, "scene", mp4=b"film"), tmp_path, "")
    own = tmp_path / "lines" / "own.flac"
    own.parent.mkdir()
    own.write_bytes(b"mine")
    names = [path.name for path in fetch_lines(storage, status, tmp_path, "")]
    assert names == ["1.flac", "2.flac", "3.flac", "4.flac", "report.json"]
    storage.delete(Keys.clip("clip1"))
    storage.replace(Keys.clip("clip2"), storage.get(Keys.clip("clip4")))
    storage.replace(Keys.clip("clip3"), encode_flac(voice(1.0), Keys.clip("clip4")))
    fetch_lines(storage, status, tmp_path, "")
    assert set(files_in(own.parent)) == {"4.flac", "own.flac"}
    # The film that was fetched before is still known as fetched.
    fetch_output(storage, store_output(storage, "scene", mp4=b"a new film"), tmp_path, "")
    assert files_in(tmp_path)["dub.mp4"] == b"a new film"
    assert own.read_bytes() == b"mine"


def test_lines_that_were_fetched_before_the_film_are_still_known_as_fetched(
    storage: Storage, tmp_path: Path
) -> None:
    status = spoken_scene(storage)
    fetch_lines(storage, status, tmp_path, "")
    for film in (b"film", b"a new film"):
        fetch_output(storage, store_output(storage, "scene", mp4=film), tmp_path, "")
    storage.delete(Keys.clip("clip4"))
    fetch_lines(storage, status, tmp_path, "")
    assert set(files_in(tmp_path / "lines")) == {"1.flac", "2.flac", "3.flac"}
    assert files_in(tmp_path)["dub.mp4"] == b"a new film"


def test_a_line_of_the_users_own_is_in_the_way(storage: Storage, tmp_path: Path) -> None:
    status = spoken_scene(storage)
    own = tmp_path / "lines" / "3.flac"
    own.parent.mkdir()
    own.write_bytes(b"mine")
    with pytest.raises(Conflict, match=r"3\.flac is in the way"):
        fetch_lines(storage, status, tmp_path, "")
    assert files_in(own.parent) == {"3.flac": b"mine"}
