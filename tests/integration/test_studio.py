"""What a studio gets: stems that make the programme, an edit of them, and a transcript."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
import soundfile
from scenes import dub, film, scene

from dubbing.job import Output
from dubbing.jobs.fetch import fetch_output
from dubbing.media.probe import RATE
from dubbing.script.subtitles import read_script
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

STEMS = ("stems/01-ada-lovelace.wav", "stems/02.wav", "stems/background.wav")
NAMES = {"Ada": "Ada Lovelace", "Bob": "Боб"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fetched files of a job that asked for all of them."""
    home = tmp_path_factory.mktemp("studio")
    (home / "work").mkdir()
    storage = Storage.at(str(home / "storage"))
    wanted = Output(formats=("flac",), studio=("edit", "dapt"), name="e01")
    job = scene(storage, media=film(storage), output=wanted)
    named = [s.model_copy(update={"speaker": NAMES[s.speaker]}) for s in job.segments]
    job = job.model_copy(update={"segments": tuple(named)})
    report = dub(job, storage, home / "work")
    assert {output.name for output in report.outputs} == {
        *("dub.flac", "dub.srt", "dub.otio", "dub.ttml"),
        *STEMS,
    }
    fetch_output(storage, Keys.output(job.id, 1, "run"), home / "out", "e01")
    return home / "out"


def test_the_stems_make_the_programme(folder: Path) -> None:
    ada, bob, under = (soundfile.read(folder / f"e01.{name}", always_2d=True)[0] for name in STEMS)
    programme = soundfile.read(folder / "e01.dub.flac")[0]
    assert ada.shape == bob.shape == (len(programme), 1)
    assert under.shape == programme.shape
    assert np.abs(ada + bob + under - programme).max() < 1e-4
    # Each is alone in its stem.
    assert np.abs(ada[round(4.5 * RATE) : round(6.5 * RATE)]).max() == 0
    assert np.abs(bob[round(4.5 * RATE) : round(5.5 * RATE)]).max() > 0.05


def test_the_edit_places_each_line_from_its_speakers_stem(folder: Path) -> None:
    timeline = otio.adapters.read_from_file(str(folder / "e01.dub.otio"))
    tracks = {track.name: list(track.find_clips()) for track in timeline.audio_tracks()}
    assert list(tracks) == ["Ada Lovelace", "Боб", "background"]
    placed = {}
    for clip in [*tracks["Ada Lovelace"], *tracks["Боб"]]:
        assert (folder / clip.media_reference.target_url).is_file()
        where = clip.transformed_time_range(clip.trimmed_range(), timeline.tracks)
        placed[clip.metadata["dubbing"]["segment"]] = where.start_time.to_seconds()
    assert placed == pytest.approx({"1": 1.0, "2": 4.5, "3": 9.987, "4": 15.25}, abs=1e-4)


def test_the_transcript_says_what_is_heard(folder: Path) -> None:
    script = read_script(folder / "e01.dub.ttml")
    assert script.language == "de"
    assert [(s.start, s.end, s.speaker) for s in script.segments] == [
        (1.0, 2.5, "Ada Lovelace"),
        (4.5, 6.0, "Боб"),
        (9.987, 11.487, "Ada Lovelace"),
        (15.25, 16.75, "Боб"),
    ]
