"""What reading a script found, and what it keeps, on the way from the file to the outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reading import EVENTS, codes, read, srt
from scenes import dub, film, spoken, store_round, store_take, voice

from dubbing.client import Client
from dubbing.engines.adapters.tone import Tone
from dubbing.job import Job, Output
from dubbing.planning.casting import cast_lines
from dubbing.settings import Settings
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

LAYER = "Dialogue: 0,0:00:01.00,0:00:03.00,Default,ANN,0,0,0,,Hello.\n"


@pytest.fixture
def client(tmp_path: Path, redis_url: str) -> Client:
    """A client of a system without workers."""
    return Client.connect(Settings(home=tmp_path / "home", redis_url=redis_url, engine="tone"))


def test_cautions_of_reading_are_told_and_neither_stored_nor_asked(
    client: Client, tmp_path: Path
) -> None:
    layered = read(tmp_path, "layered.ass", EVENTS + LAYER + LAYER)
    plain = read(tmp_path, "plain.ass", EVENTS + LAYER)
    assert codes(layered) == [("duplicate", "1")]

    assert [one.code for one in client.preview(layered).cautions] == ["duplicate"]
    submission = client.submit(layered)
    assert [one.code for one in submission.cautions] == ["duplicate"]
    assert "cautions" not in json.loads(client.storage.get(Keys.job(submission.id)))
    again = client.submit(plain)
    assert (again.id, again.created, again.cautions) == (submission.id, False, ())


WRITTEN = "\u200f- שלום, \u202aDNA\u202c!\n- 👩\u200d👧 עולם\u200f"
SAID = "- שלום, DNA! - עולם"


def test_subtitles_are_as_written_and_engines_are_asked_in_normal_form(
    tmp_path: Path, workdir: Path
) -> None:
    storage = Storage.at(str(tmp_path / "storage"))
    job = Job(
        id="rtl",
        language="he",
        engine="tone",
        media=film(storage),
        segments=read(tmp_path, "a.srt", srt(WRITTEN)).segments,
        output=Output(formats=("mp4", "mkv")),
    )
    (cast,) = cast_lines(job, job.segments, {"tone": Tone.spec})
    assert cast.line.spoken == SAID

    results = [spoken(one, store_take(storage, "clip", voice(0.8))) for one in job.segments]
    store_round(storage, job, 1, results)
    report = dub(job, storage, workdir)
    assert [line.text for line in report.lines] == [WRITTEN]
    shown = storage.get(Keys.output("rtl", 1, "run") + "dub.srt").decode()
    assert shown == f"1\n00:00:02,000 --> 00:00:03,000\n{WRITTEN}\n\n"
