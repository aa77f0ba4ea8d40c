"""Separation of a line's speech from sounds and lyrics."""

from __future__ import annotations

import pytest

from dubbing.job import Job, Segment
from dubbing.text.characters import speakable
from dubbing.text.sounds import is_silent, read, voiced
from dubbing.text.wording import spoken


def left_out(text: str) -> list[str]:
    return [aside.text for aside in read(text).asides if not aside.spoken]


def doubted(text: str) -> list[str]:
    return [aside.text for aside in read(text).asides if aside.spoken]


@pytest.mark.parametrize(
    "text",
    [
        *("", "♪", "♪♪♪", "♫ ♪", "[♪♪♪]", "🎵", "¶", "...", "…", "?!", "-", "- -", "– …", "•"),
        *("()", "[]", "*", "**", "#", "* * *", "[...]", "(!)", "🙂", "👍🏽", "👨‍👩‍👧", "\u3164"),
    ],
)
def test_what_holds_no_word_is_silent_and_nothing_is_said_to_be_left_out(text: str) -> None:
    assert not speakable(read(text).words)
    assert read(text).asides == ()


@pytest.mark.parametrize(
    ("text", "sounds", "words"),
    [
        ("(sighs)", ["(sighs)"], ""),
        ("(SIGHS)", ["(SIGHS)"], ""),
        ("[door slams]", ["[door slams]"], ""),
        ("[ Music ]", ["[ Music ]"], ""),
        ("[♪ soft music ♪]", ["[♪ soft music ♪]"], ""),
        ("[door (creaks) shut]", ["[door (creaks) shut]"], ""),
        ("(door (creaks) shut)", ["(door (creaks) shut)"], ""),
        ("【掌声】", ["【掌声】"], ""),
        ("（笑）", ["（笑）"], ""),
        ("［音楽］", ["［音楽］"], ""),
        ("【掌声】谢谢", ["【掌声】"], "谢谢"),
        ("（笑い声）ほら", ["（笑い声）"], "ほら"),
        ("「え？」（笑）", ["（笑）"], "「え？」"),
        ("*coughs*", ["*coughs*"], ""),
        ("- [phone rings] - (sighs)", ["[phone rings]", "(sighs)"], ""),
        ("-(sighs)", ["(sighs)"], ""),
        ("[gunshot] Get down!", ["[gunshot]"], "Get down!"),
        ("Get [gunshot] down!", ["[gunshot]"], "Get down!"),
        ("Get down! [gunshot]", ["[gunshot]"], "Get down!"),
        ("(sighs) I know.", ["(sighs)"], "I know."),
        ("(sighs) and then he left.", ["(sighs)"], "and then he left."),
        ("... (sighs) I know.", ["(sighs)"], "... I know."),
        ("*coughs* Sorry.", ["*coughs*"], "Sorry."),
        ("I know. (sighs) Let's go.", ["(sighs)"], "I know. Let's go."),
        ("I know. (sighs)", ["(sighs)"], "I know."),
        ("I— (coughs) Sorry.", ["(coughs)"], "I— Sorry."),
        ("- (sighs) I know. - [laughs] No.", ["(sighs)", "[laughs]"], "- I know. - No."),
        ("- [phone rings] - Hello?", ["[phone rings]"], "- Hello?"),
        ("- Hi. -(sighs)", ["(sighs)"], "- Hi."),
        ("I know [laughs], but no.", ["[laughs]"], "I know, but no."),
        ("[laughs], yes", ["[laughs]"], "yes"),
        ("(يتنهد) حسنا", ["(يتنهد)"], "حسنا"),
    ],
)
def test_sounds_are_left_out(text: str, sounds: list[str], words: str) -> None:
    assert left_out(text) == sounds
    said = read(text).words
    assert said == words or not (words or speakable(said))


@pytest.mark.parametrize(
    ("text", "lyrics", "words"),
    [
        ("♪ Row the boat ashore ♪", ["Row the boat ashore"], ""),
        ("♪Row the boat♪", ["Row the boat"], ""),
        ("♫ Row the boat ♫", ["Row the boat"], ""),
        ("🎵 Row the boat 🎶", ["Row the boat"], ""),
        ("¶ Row the boat ¶", ["Row the boat"], ""),
        ("♪♪ Row the boat ♪♪", ["Row the boat"], ""),
        ("♪ ♪ Row the boat ♪ ♪", ["Row the boat"], ""),
        ("♪ Row the boat", ["Row the boat"], ""),
        ("♪ Row ♪ ♪ the boat ♪", ["Row", "the boat"], ""),
        ("♪ Row ♪ the boat ♪", ["Row", "the boat"], ""),
        ("♪ (humming) Row ♪", ["(humming) Row"], ""),
        ("# Row the boat ashore #", ["Row the boat ashore"], ""),
        ("# Row the boat", ["Row the boat"], ""),
        ("#Row the boat#", ["Row the boat"], ""),
        ("＃ Row the boat ＃", ["Row the boat"], ""),
        ("# 99 red balloons #", ["99 red balloons"], ""),
        ("# I love C# #", ["I love C#"], ""),
        ("- # Row the boat #", ["Row the boat"], ""),
        ("* Row the boat *", ["Row the boat"], ""),
        ("Turn it down. ♪ Row ♪", ["Row"], "Turn it down."),
        ("Turn it down. # Row the boat #", ["Row the boat"], "Turn it down."),
        ("♪ Row ♪ Turn it down.", ["Row"], "Turn it down."),
        ("- Hello. - ♪ Row the boat", ["Row the boat"], "- Hello."),
        ("♪ Row the boat - Stop it!", ["Row the boat"], "- Stop it!"),
        ("- ♪ Row ♪ - Stop it! - ♪ the boat ♪", ["Row", "the boat"], "- Stop it!"),
    ],
)
def test_lyrics_are_left_out(text: str, lyrics: list[str], words: str) -> None:
    assert left_out(text) == lyrics
    said = read(text).words
    assert said == words or not (words or speakable(said))


@pytest.mark.parametrize(
    ("text", "doubt", "words"),
    [
        ("I told him (he was right) and left.", "(he was right)", None),
        ("He was right (as always).", "(as always)", "He was right as always."),
        ("I (think) so", "(think)", "I think so"),
        ("(He was) right.", "(He was)", "He was right."),
        ("(What?)", "(What?)", "What?"),
        ("Washington D.C. (USA).", "(USA)", "Washington D.C. USA."),
        ("He said - (he was right) - no.", "(he was right)", "He said - he was right - no."),
        ("I *really* mean it.", "*really*", "I really mean it."),
        ("*Really* so.", "*Really*", "Really so."),
        ("[door slams", "[door slams", "door slams"),
        ("and creaks]", "and creaks]", "and creaks"),
        ("[12]", "[12]", "12"),
        ("ashore ♪", "ashore", "ashore"),
        ("Turn it down. ♪ Row", "Row", "Turn it down. Row"),
    ],
)
def test_words_that_only_look_like_a_sound_are_said_and_told_of(
    text: str, doubt: str, words: str | None
) -> None:
    assert left_out(text) == []
    assert doubted(text) == [doubt]
    assert read(text).words == (words or "I told him he was right and left.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("**Really** so.", "Really so."),
        ("***Wow***", "Wow"),
        ("#1", "#1"),
        ("#1 is C#", "#1 is C#"),
        ("# 1 in the charts", "# 1 in the charts"),
        ("C# and F# are keys.", "C# and F# are keys."),
        ("#winning", "winning"),
        ("5 * 3 * 2", "5 × 3 × 2"),
        ("Terms apply*", "Terms apply"),
        ("* Terms apply", "Terms apply"),
        ("Press # then # again.", "Press then again."),
        ("What the f*ck", "What the fck"),
        ("(555) 123-4567", "(555) 123-4567"),
        ("(I) am here", "I am here"),
        ("(a) apples, (b) pears", "a apples, b pears"),
        ("a) apples b) pears", "a) apples b) pears"),
        ("It is so :)", "It is so :)"),
    ],
)
def test_signs_that_mean_no_sound_leave_the_words_alone(text: str, words: str) -> None:
    assert read(text).words == words
    assert read(text).asides == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(sighs) I know.", "sighs I know."),
        ("- [phone rings] - (sighs)", "- phone rings - sighs"),
        ("*coughs* Sorry.", "coughs Sorry."),
        ("♪ Row the boat ♪", "Row the boat"),
        ("# Row the boat #", "Row the boat"),
        ("[door (creaks) shut]", "door creaks shut"),
    ],
)
def test_what_a_job_has_spoken_is_said_without_its_signs_and_told_of(text: str, words: str) -> None:
    reading = read(text, sounds=True, lyrics=True)
    assert reading.words == words
    assert reading.asides
    assert all(aside.spoken for aside in reading.asides)


def test_sounds_and_lyrics_are_asked_for_by_themselves() -> None:
    text = "(sighs) Hm. ♪ Row [whistles] ♪"
    assert read(text).words == "Hm."
    assert read(text, sounds=True).words == "sighs Hm."
    assert read(text, lyrics=True).words == "Hm. Row"


@pytest.mark.parametrize("text", ["Plain words, as they are.", "10:30 - now", "“Hm…”", "1 + 1 = 2"])
def test_text_without_signs_is_left_as_it_is(text: str) -> None:
    assert read(text) == (text, ())


@pytest.mark.parametrize(
    "sign",
    [*"()[]*#♪-", "(a", "* ", "# a", "♪ a", "*a b* ", "(sighs) I know. ", "- (sighs) I. "],
)
def test_a_line_of_many_signs_is_read_in_no_time(sign: str) -> None:
    # Comparing every sign with every other would exceed the tests' time limit.
    read(sign * 20_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#1", "number one"),
        ("C# is fun", "C sharp is fun"),
        ("5 * 3", "five times three"),
        ("**Really** so.", "Really so."),
        ("# Row the boat ashore #", ""),
    ],
)
def test_no_engine_is_given_a_sign_to_name(text: str, said: str) -> None:
    assert spoken(read(text).words, "en") == said


def test_the_silent_lines_of_a_job_are_those_that_it_has_not_spoken() -> None:
    texts = ("Hello.", "(sighs)", "♪ Row ♪", "♪", "(sighs) I know.")
    segments = [
        Segment(id=str(n), start=n, end=n + 1, text=text, speaker=f"s{n}")
        for n, text in enumerate(texts)
    ]

    def heard(**settings: bool) -> list[str]:
        job = Job(id="j", language="en", segments=tuple(segments), **settings)
        spoken = voiced(job)
        assert [s for s in segments if not is_silent(job, s)] == list(spoken.segments)
        assert spoken.speakers == [f"s{segment.id}" for segment in spoken.segments]
        return [segment.id for segment in spoken.segments]

    assert heard() == ["0", "4"]
    assert heard(speak_sounds=True) == ["0", "1", "4"]
    assert heard(speak_lyrics=True) == ["0", "2", "4"]
    assert heard(speak_sounds=True, speak_lyrics=True) == ["0", "1", "2", "4"]
