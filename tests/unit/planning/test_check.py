"""Faults that are refused before anything is queued, and cautions."""

from __future__ import annotations

from typing import Any

import pytest

from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput
from dubbing.job import Segment
from dubbing.job.caution import Caution
from dubbing.planning.check import check
from dubbing.script.manifest import Manifest

PLAIN = EngineSpec(
    name="plain",
    summary="stock voices, one speed",
    languages=("en", "pt"),
    voices=("low", "high"),
    max_characters={"*": 300},
    characters_per_second={"*": 10.0},
    sample_rate=24_000,
    batch_lines=8,
    batch_seconds=60.0,
    licence="Apache-2.0",
)
CLONER = PLAIN.model_copy(
    update={
        "name": "cloner",
        "voices": (),
        "clones": True,
        "speed": (0.8, 1.2),
        "delivery": ("pitch", "style"),
        "emotions": ("feelings", "voice"),
    }
)
CONVERTER = CLONER.model_copy(
    update={"name": "converter", "languages": ("*",), "delivery": (), "base": "plain"}
)
BARE = PLAIN.model_copy(update={"name": "bare", "voices": ()})
SPECS = {"plain": PLAIN, "cloner": CLONER, "converter": CONVERTER, "bare": BARE}
OVER = {"engine": "converter", "reference": "a.wav"}


def job(*lines: Segment, **fields: Any) -> Manifest:
    return Manifest.model_validate(
        {"language": "en", "engine": "plain", "segments": lines, **fields}
    )


def line(text: str = "Hello", start: float = 0.0, end: float = 1.0, **fields: Any) -> Segment:
    return Segment.model_validate(
        {"id": "1", "speaker": "Ann", "text": text, "start": start, "end": end, **fields}
    )


def refused(asked: Manifest, film_seconds: float | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        check(asked, SPECS, film_seconds=film_seconds)
    return str(caught.value)


def codes(cautions: list[Caution]) -> list[tuple[str, str | None]]:
    return [(caution.code, caution.segment) for caution in cautions]


def test_a_job_as_it_should_be_needs_no_word() -> None:
    asked = job(line(), line("And you", 1.0, 2.0, id="2", speaker="Bob"))
    assert check(asked, SPECS, film_seconds=2.0) == []


@pytest.mark.parametrize("text", ["", "♪ ♪", "👍", "…", "?!"])
def test_a_cue_with_nothing_to_speak_is_silent_with_a_caution(text: str) -> None:
    asked = job(line(), line(text, 62.5, 63, id="cue-7"))
    (caution,) = check(asked, SPECS)
    assert (caution.code, caution.segment) == ("silent", "cue-7")
    assert caution.message.startswith("cue cue-7 at 0:01:02.500: ")
    assert caution.message.endswith("nothing to speak: the line is silent")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("(sighs)", "sound", "'(sighs)' looks like a sound and is left unsaid: the line is silent"),
        ("[gunshot] Get down!", "sound", "'[gunshot]' looks like a sound and is left unsaid"),
        ("I (he was right) see.", "sound", "'(he was right)' looks like a sound and is spoken"),
        ("♪ Row ♪", "lyrics", "'Row' looks like lyrics and is left unsaid: the line is silent"),
        ("ashore ♪", "lyrics", "'ashore' looks like lyrics and is spoken"),
    ],
)
def test_what_looks_like_a_sound_is_told_of_either_way(text: str, code: str, message: str) -> None:
    (caution,) = check(job(line(text, 0, 5)), SPECS)
    assert (caution.code, caution.segment) == (code, "1")
    assert caution.message == f"cue 1 at 0:00:00.000: {message}"


def test_sounds_and_lyrics_that_a_job_has_spoken_are_told_of_too() -> None:
    lines = (line("(sighs)", 0, 5), line("♪ Row ♪", 5, 9, id="2"))
    said = check(job(*lines, speak_sounds=True, speak_lyrics=True), SPECS)
    assert codes(said) == [("sound", "1"), ("lyrics", "2")]
    assert [caution.message.endswith("is spoken") for caution in said] == [True, True]


def test_a_silent_line_asks_nothing_of_an_engine() -> None:
    cast = {"Ann": {"engine": "nobody"}, "Bob": {"engine": "bare"}}
    silent = (line("♪ " * 400), line("(sighs)", 1, 2, id="2", speaker="Bob"))
    unspoken = job(*silent, cast=cast, language="ru", engine=None)
    assert codes(check(unspoken, {})) == [("silent", "1"), ("sound", "2")]
    assert "no engine 'nobody'" in refused(job(*silent, line(id="3"), cast=cast))


def test_a_silent_line_overlaps_nothing() -> None:
    silent = line("[door slams]", 0.5, 3, id="2", speaker="Bob")
    assert codes(check(job(line(), silent), SPECS)) == [("sound", "2")]


def test_a_silent_line_after_the_films_end_is_said_and_not_refused() -> None:
    asked = job(line(), line("♪", 11, 12, id="2"))
    assert codes(check(asked, SPECS, film_seconds=10.0)) == [("silent", "2"), ("beyond_film", "2")]
    late = job(line(), line("♪", 3_600_000, 7_200_000, id="2"))
    assert "times are in seconds" in refused(late), "else the programme would be as long"


def test_only_what_is_said_is_held_to_the_languages_script() -> None:
    assert codes(check(job(line("【掌声】 Hi", 0, 5)), SPECS)) == [("sound", "1")]


def test_a_speaker_who_stays_silent_needs_no_cast_but_may_have_one() -> None:
    lines = (line(), line("♪", 1, 2, id="2", speaker="Bob"))
    assert codes(check(job(*lines, cast={"Ann": {}}), SPECS)) == [("silent", "2")]
    assert codes(check(job(*lines, cast={"Ann": {}, "Bob": {}}), SPECS)) == [("silent", "2")]


def test_a_text_beyond_the_engines_limit_is_refused() -> None:
    assert "9999 characters are more than the 300" in refused(job(line("blah " * 2_000)))


@pytest.mark.parametrize("text", ["7" * 5000, "1" * 41, "1,000" * 14])
def test_a_number_that_takes_minutes_is_refused(text: str) -> None:
    assert "cue 1 at 0:00:00.000: it holds a number" in refused(job(line(text)))


def test_figures_in_words_are_no_long_number() -> None:
    asked = job(line("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24", 0, 60))
    assert check(asked, SPECS) == []


def test_segments_that_share_an_id_are_refused() -> None:
    assert "cue 1: 2 lines have this id" in refused(job(line(), line(start=0.5)))


def test_a_job_without_lines_is_refused() -> None:
    assert "no lines" in refused(job())


def test_times_after_the_films_end_are_refused_or_said() -> None:
    asked = job(line(start=9, end=11))
    assert codes(check(asked, SPECS, film_seconds=10.0)) == [("beyond_film", "1")]
    assert "it starts after the film's end at 0:00:09.000" in refused(asked, film_seconds=9.0)
    assert check(asked, SPECS) == []


def test_times_in_milliseconds_are_refused() -> None:
    assert "times are in seconds" in refused(job(line(start=3_600_000, end=7_200_000)))


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ({"engine": "plian"}, "no engine 'plian'; did you mean 'plain'?"),
        ({"voice": "hihg"}, "engine 'plain' has no voice 'hihg'; did you mean 'high'?"),
        ({"reference": "ann.wav"}, "engine 'plain' does not clone voices"),
        ({"pitch": 2}, "engine 'plain' cannot change the pitch"),
        ({"style": "sad"}, "engine 'plain' knows no style"),
        ({"emotion": {"sad": 1}}, "engine 'plain' does not support an emotion: remove it"),
        ({"speed": 1.1}, "engine 'plain' speaks at a speed of 1 to 1, not 1.1"),
        ({"engine": "cloner"}, "engine 'cloner' has no voices of its own"),
        ({"engine": "cloner", "reference": "a.wav", "speed": 1.5}, "at a speed of 0.8 to 1.2"),
        ({"engine": "cloner", "reference": "a.wav", "voice": "low"}, "a voice or a reference"),
        ({"engine": "bare"}, "engine 'bare' has no model here"),
        ({"base": "plain"}, "engine 'plain' is not a converter: remove the base 'plain'"),
        ({"engine": "converter"}, "into a reference's voice: give the role a reference"),
        ({"engine": "converter", "voice": "low"}, "voice: give the role a reference"),
        ({**OVER, "base": "plian"}, "no engine 'plian'; did you mean 'plain'?"),
        ({**OVER, "base": "converter"}, "engine 'converter' is a converter: name a base"),
        ({**OVER, "base": "cloner"}, "engine 'cloner' has no voices of its own: name another"),
        ({**OVER, "base": "bare"}, "engine 'bare' has no model here"),
        ({**OVER, "voice": "hihg"}, "has no voice 'hihg'; did you mean 'high'?"),
        ({**OVER, "speed": 1.1}, "at a speed of 1 to 1, not 1.1"),
        ({**OVER, "pitch": 2}, "engine 'converter' cannot change the pitch"),
    ],
)
def test_a_role_that_its_engine_cannot_play_is_refused(role: dict[str, Any], words: str) -> None:
    message = refused(job(line(), cast={"Ann": role}))
    assert message.startswith("speaker 'Ann': ")
    assert words in message


def test_an_emotion_that_an_engine_cannot_be_told_is_refused_by_its_role_or_cue() -> None:
    cast = {"Ann": {"engine": "cloner", "reference": "a.wav"}}
    told, untold = {"sad": 0.5}, {"text": "sad"}
    assert check(job(line(emotion=told), cast=cast), SPECS) == []
    message = refused(job(line(emotion=untold), cast=cast))
    assert message.startswith(
        "cue 1 at 0:00:00.000: engine 'cloner' does not support an emotion by"
    )
    cast["Ann"]["emotion"] = untold
    assert refused(job(line(), cast=cast)).startswith("speaker 'Ann': engine 'cloner' does not")
    assert "does not support" in refused(job(line(emotion=told)))


def test_an_emotion_in_a_voice_that_is_not_stored_is_refused() -> None:
    cast = {"Ann": {"engine": "cloner", "reference": "a.wav"}}
    asked = job(line(emotion={"voice": "ann-anrgy"}), cast=cast)
    with pytest.raises(BadInput, match="no stored voice 'ann-anrgy'; did you mean 'ann-angry'"):
        check(asked, SPECS, voices=["ann-angry", "bob"])
    stored = job(line(emotion={"voice": "ab" * 32}), cast=cast)
    assert check(stored, SPECS) == []


def test_a_fallback_need_not_know_the_emotions() -> None:
    role = {"engine": "cloner", "reference": "a.wav", "emotion": {"sad": 1}, "fallback": ["plain"]}
    assert check(job(line(emotion={"angry": 1}), cast={"Ann": role}), SPECS) == []


def test_a_role_that_its_engine_can_play_is_not() -> None:
    role = {"engine": "cloner", "reference": "a.wav", "speed": 1.2, "pitch": -2, "style": "sad"}
    assert check(job(line(), cast={"Ann": role}), SPECS) == []


@pytest.mark.parametrize("voice", [{}, {"voice": "high"}])
def test_a_converter_does_what_its_base_can(voice: dict[str, str]) -> None:
    able = PLAIN.model_copy(update={"name": "able", "speed": (0.5, 2.0), "delivery": ("pitch",)})
    role = {**OVER, **voice, "base": "able", "speed": 1.1, "pitch": 2}
    asked = job(line(), cast={"Ann": role})
    assert check(asked, {**SPECS, "able": able}) == []
    assert "does not speak 'ru', but en, pt" in refused(
        job(line(), language="ru", cast={"Ann": OVER})
    )


def test_a_speaker_whom_the_cast_leaves_out_is_not_converted() -> None:
    assert "speaker 'Ann': engine 'converter' converts" in refused(job(line(), engine="converter"))


def test_a_base_goes_with_its_converter_alone() -> None:
    role = {**OVER, "base": "plain", "fallback": ["cloner", "plain"]}
    assert check(job(line(), cast={"Ann": role}), SPECS) == []
    cloned = {"engine": "cloner", "reference": "a.wav", "fallback": ["converter"]}
    assert check(job(line(), cast={"Ann": cloned}), SPECS) == []
    assert "speaker 'Ann': engine 'converter' converts" in refused(
        job(line(), fallback=["converter"])
    )


def test_a_language_that_the_engine_does_not_speak_is_refused() -> None:
    assert "does not speak 'ru', but en, pt" in refused(job(line(), language="ru"))
    assert "'english' is no BCP 47 tag" in refused(job(line(), language="english"))
    assert check(job(line(), language="pt-BR"), SPECS) == []


def test_a_film_is_not_promised_without_one() -> None:
    asked = job(line(), output={"formats": ["mp4", "flac"]})
    assert "output mp4 needs a film" in refused(asked)
    assert check(asked.model_copy(update={"media": "film.mp4"}), SPECS) == []


def test_everything_that_must_be_changed_is_in_one_error() -> None:
    long = "1" * 41
    lines = [line(long, number, number + 1, id=str(number)) for number in range(30)]
    message = refused(job(*lines, cast={"Ann": {"voice": "none"}}))
    assert message.startswith("31 things must be changed:\n  speaker 'Ann'")
    assert len(message.split("\n")) == 1 + 10 + 1
    assert message.endswith("and 21 more")


def test_overlaps_are_said_by_their_cues() -> None:
    asked = job(
        line(start=0, end=10, id="a"),
        line(start=1, end=2, id="b", speaker="Bob"),
        line(start=3, end=4, id="c"),
        line(start=9, end=11, id="d", speaker="Bob"),
        line(start=10.5, end=12, id="e", speaker="Cid"),
        line(start=12, end=13, id="f", speaker="Bob"),
    )
    said = check(asked, SPECS)
    assert codes(said) == [
        ("crosstalk", "b"),
        ("overlap", "c"),
        ("crosstalk", "d"),
        ("crosstalk", "e"),
    ]
    assert "cue c at 0:00:03.000: Ann is still at cue a for 7.00 s" in said[1].message
    assert "Bob is still at cue d for 0.50 s" in said[3].message


def test_text_in_another_script_is_said() -> None:
    assert codes(check(job(line("Доброе утро", 0, 4)), SPECS)) == [("script", "1")]


def test_a_cast_that_misses_the_speakers_is_said() -> None:
    first, second = check(job(line(), cast={"Anne": {"voice": "low"}}), SPECS)
    assert "no line is spoken by 'Anne'; did you mean 'Ann'?" in first.message
    assert "'Ann' is not in the cast" in second.message


def test_a_long_job_with_as_many_overlaps_is_checked_whole() -> None:
    # Comparing every line with every other would exceed the time limit of the tests.
    lines = [
        Segment(id=str(n), start=n / 10, end=n / 10 + 50, speaker=f"s{n % 5000}", text="Hi there")
        for n in range(20_000)
    ]
    assert len(check(job(*lines), SPECS)) > 19_000


def test_a_line_is_judged_by_what_is_said_and_named_as_it_is_written() -> None:
    spoken = job(line("1777 " * 20, 0, 100))
    message = refused(spoken)
    assert "characters, as '1777 1777" in message
    assert "is spoken, are more than the 300" in message
