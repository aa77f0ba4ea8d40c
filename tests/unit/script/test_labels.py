"""Speakers whose names stand before the words of a cue."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import codes, read, refused, said, srt


@pytest.mark.parametrize(
    ("written", "speaker", "text"),
    [
        ("ELIN:\nThings will change.", "ELIN", "Things will change."),
        ("Elin Berg:\nThings will\nchange.", "Elin Berg", "Things will\nchange."),
        ("[SPEAKER_01]: He is the captain.", "SPEAKER_01", "He is the captain."),
        ("[SPEAKER_01] He is the captain.", "SPEAKER_01", "He is the captain."),
        ("[Speaker 2] He is.", "Speaker 2", "He is."),
        ("SPEAKER_01: He is.", "SPEAKER_01", "He is."),
        ("(ANNA): He is.", "ANNA", "He is."),
        ("GUARD #2: Halt!", "GUARD #2", "Halt!"),
        ("2ND GUARD: Halt!", "2ND GUARD", "Halt!"),
        ("John (V.O.): I was young then.", "John", "I was young then."),
        ("JOHN (V.O.) (CONT'D): I was.", "JOHN", "I was."),
        ("JOHN [whispers]: I was.", "JOHN", "I was."),
        (">> ANNA: Hello again.", "ANNA", "Hello again."),
        (">>> ANNA: Hello again.", "ANNA", "Hello again."),
        ("&gt;&gt; ANNA: Hello again.", "ANNA", "Hello again."),
        ("- ANNA: Hello again.", "ANNA", "Hello again."),
        ("–ANNA: Hello again.", "ANNA", "Hello again."),
        ("<i>ANNA:</i> Hello.", "ANNA", "Hello."),
        ("Спикер №1: Добрый день.", "Спикер №1", "Добрый день."),
        ("小明：你好", "小明", "你好"),
        ("【小明】：你好", "小明", "你好"),
        ("ANNA:Hello.", "ANNA", "Hello."),
        ("Jean-Luc : bonjour", "Jean-Luc", "bonjour"),
        ("Tom & Ann: Hello.", "Tom & Ann", "Hello."),
        ("ANN: Yes,\nANN: it is.", "ANN", "Yes,\nit is."),
    ],
)
def test_a_name_before_the_words_is_the_speaker(
    tmp_path: Path, written: str, speaker: str, text: str
) -> None:
    job = read(tmp_path, "a.srt", srt(written), speaker_prefix=True)
    assert said(job) == [(speaker, text)]
    assert job.cautions == ()


@pytest.mark.parametrize(
    "written",
    [
        *(
            "see http://a.example",
            "At 10:30, sharp.",
            "It is 10:30",
            "HTTP://A.EXAMPLE",
            "Ratio 4:3",
        ),
        *("[door slams] Run!", "[Door slams] Run!", "[DOOR SLAMS] Run!", "(sighs) I know."),
        *("He said:\nGo away.", "Listen to\nthis:", "[wind howls]"),
    ],
)
def test_what_is_no_name_is_said(tmp_path: Path, written: str) -> None:
    job = read(tmp_path, "a.srt", srt(written), speaker_prefix=True)
    assert said(job) == [("speaker", written)]
    assert job.cautions == ()


@pytest.mark.parametrize("prefix", [True, False])
def test_a_label_that_is_too_long_for_a_name_is_spoken_and_told(
    tmp_path: Path, prefix: bool
) -> None:
    label = "THE SECOND ASSISTANT OF THE OLD HARBOUR MASTER"
    job = read(tmp_path, "a.srt", srt(f"{label}: Halt!", "Halt!"), speaker_prefix=prefix)
    assert said(job) == [("speaker", f"{label}: Halt!"), ("speaker", "Halt!")]
    assert codes(job) == [("label", "1" if prefix else None)]
    assert (label in job.cautions[0].message) == prefix
    assert "is spoken" in job.cautions[0].message


@pytest.mark.parametrize(
    ("written", "speaker", "text"),
    [
        ("[NARRATOR] Long ago it was.", "NARRATOR", "Long ago it was."),
        ("[NARRATOR]\nLong ago it was.", "NARRATOR", "Long ago it was."),
        ("[GUNSHOT] Get down!", "GUNSHOT", "Get down!"),
        ("【小明】你好", "小明", "你好"),
        ("And remember this: never.", "And remember this", "never."),
        ("(sighs): I know.", "sighs", "I know."),
    ],
)
def test_a_name_that_may_be_none_is_told(
    tmp_path: Path, written: str, speaker: str, text: str
) -> None:
    job = read(tmp_path, "a.srt", srt("ANN: Hello.", written), speaker_prefix=True)
    assert said(job)[1] == (speaker, text)
    assert codes(job) == [("label", "2")]
    assert f"'{speaker}'" in job.cautions[0].message


@pytest.mark.parametrize(
    "second", ["FRED: Yeah.", "- FRED: Yeah.", "[FRED]: Yeah.", ">> FRED: Yeah."]
)
def test_words_before_a_name_are_told(tmp_path: Path, second: str) -> None:
    job = read(tmp_path, "a.srt", srt(f"You got it?\n{second}"), speaker_prefix=True)
    assert said(job) == [("FRED", "You got it?\nYeah.")]
    assert set(codes(job)) == {("speakers", "1")}
    assert "'FRED'" in job.cautions[0].message


@pytest.mark.parametrize(
    "written",
    [
        *("- You got it?\n- Yeah.", "You got it?\n- Yeah.", "-You got it?\n-Yeah."),
        *("— Да?\n— Нет.", ">> Yes?\n>> No.", ">> Yes? >> No.", "- FRED: Yes?\n- No."),
    ],
)
@pytest.mark.parametrize("prefix", [True, False])
def test_two_speakers_without_names_are_told(tmp_path: Path, written: str, prefix: bool) -> None:
    job = read(tmp_path, "a.srt", srt("Hello.", written), speaker_prefix=prefix)
    assert ("speakers", "2") in codes(job)


@pytest.mark.parametrize(
    "written",
    ["- Hello\nthere.", "It was cold:\n-5 degrees.", "- [door opens]\n- (sighs)", "a - b"],
)
def test_one_speaker_is_not_told(tmp_path: Path, written: str) -> None:
    assert read(tmp_path, "a.srt", srt(written)).cautions == ()


def test_two_names_in_a_cue_are_refused(tmp_path: Path) -> None:
    content = srt("Hello.", "[ANN]: Yes?\n>> BOB: No.")
    message = refused(tmp_path, "a.srt", content, speaker_prefix=True)
    assert "line 6: ANN and BOB speak in one cue" in message


def test_a_name_alone_has_nothing_to_say(tmp_path: Path) -> None:
    job = read(tmp_path, "a.srt", srt("ELIN:", "Hello."), speaker_prefix=True)
    assert said(job) == [("ELIN", ""), ("speaker", "Hello.")]


@pytest.mark.parametrize("written", ["ELIN: Hello.", "[SPEAKER_01]: Hello.", ">> ANNA:\nHello."])
def test_names_that_nobody_asked_for_are_told_once(tmp_path: Path, written: str) -> None:
    job = read(tmp_path, "a.srt", srt("Hello.", written, written))
    assert codes(job)[:1] == [("label", None)]
    assert "2, the first at line 6" in job.cautions[0].message
    assert "--speaker-prefix" in job.cautions[0].message


@pytest.mark.parametrize("written", ["Well: yes.", "At 10:30.", "[door slams] Run!", "NASA TV"])
def test_what_is_no_name_in_capitals_is_not_told(tmp_path: Path, written: str) -> None:
    assert read(tmp_path, "a.srt", srt(written)).cautions == ()
