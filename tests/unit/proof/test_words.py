"""Which takes say their words: real Whisper weights hear a real voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from services import unavailable
from speech import speak
from weights import needed

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Line
from dubbing.engines.models.folders import ModelFolders
from dubbing.errors import BadInput
from dubbing.media.samples import Audio, trim
from dubbing.proof.thresholds import DEFAULTS, FEWEST, Threshold, Thresholds
from dubbing.proof.words import Fit, WordJudge, calibrated_to
from dubbing.text.wording import spoken

TEXT = "If the bridge is closed, we have to cross the river on foot."
OTHER = "She learned to read by looking over the shoulder of her sister."

SEED = 1
"""Seed of Piper's noise, without which a few takes of a hundred would be misheard by chance."""

Say = Callable[[str], Audio]


@pytest.fixture(scope="module")
def say() -> Say:
    """Return a function that has Joe say a text, with the same noise each time."""
    folders = ModelFolders(named={"piper": needed("piper")})
    import onnxruntime

    def said(text: str) -> Audio:
        # A graph takes the seed of its noise when it is loaded.
        onnxruntime.set_seed(SEED)
        engine = Catalogue(folders).create("piper")
        engine.load("cpu")
        (sound,) = speak(engine, Line(text=text, language="en", voice=engine.spec.voices[0]))
        engine.unload()
        return trim(sound)

    return said


@pytest.fixture(scope="module")
def judge() -> WordJudge:
    if find_spec("faster_whisper") is None:
        unavailable("faster-whisper")
    return WordJudge(needed("whisper"))


def is_right(judge: WordJudge, text: str, sound: Audio) -> bool | None:
    return judge.judge("piper", "en", text, sound).right


@pytest.mark.weights
def test_a_take_is_right_when_it_says_all_of_its_words_and_no_others(
    judge: WordJudge, say: Say
) -> None:
    sound = say(TEXT)
    heard = judge.judge("piper", "en", TEXT, sound)
    assert (heard.right, heard.errors) == (True, pytest.approx(0, abs=0.2))
    assert "bridge" in heard.text
    cut = replace(sound, samples=sound.samples[: -round(0.8 * sound.rate)])
    wrong = {
        "another text": is_right(judge, OTHER, sound),
        "cut off": is_right(judge, TEXT, cut),
        "last word missing": is_right(judge, TEXT, say(TEXT.removesuffix(" foot.") + ".")),
        "a word replaced": is_right(judge, TEXT.replace("river", "garden"), sound),
        "last words repeated": is_right(judge, TEXT, say(f"{TEXT} The river on foot.")),
        "silence": is_right(judge, TEXT, replace(sound, samples=sound.samples * 0)),
    }
    assert wrong == dict.fromkeys(wrong, False)


@pytest.mark.weights
def test_two_words_that_are_heard_as_one_are_right_when_both_were_said(
    judge: WordJudge, say: Say
) -> None:
    text = "You are ready to go home now."
    assert is_right(judge, text, say(text))
    assert is_right(judge, text, say(text.replace("are ", ""))) is False


@pytest.mark.weights
def test_a_small_word_that_the_model_expects_is_missed_all_the_same(
    judge: WordJudge, say: Say
) -> None:
    text = "They offered him a better job, but he decided to stay."
    assert is_right(judge, text, say(text))
    assert is_right(judge, text, say(text.replace(" to ", " "))) is False


@pytest.mark.weights
def test_numbers_are_heard_in_the_words_that_were_asked_for(judge: WordJudge, say: Say) -> None:
    for text in (
        "It took them three hundred forty-five days to build it.",
        spoken("He paid $12.50 for the ticket, at 3:45.", "en"),
    ):
        assert is_right(judge, text, say(text))


@pytest.mark.weights
def test_a_name_is_right_though_the_model_knows_another(judge: WordJudge, say: Say) -> None:
    text = "You should have told Thaddeus Quill that the boat had left."
    sound = say(text)
    assert "Thaddeus" not in judge.judge("piper", "en", text, sound).text
    assert is_right(judge, text, sound)
    assert is_right(judge, text.replace("Thaddeus Quill", "Captain Reed"), sound) is False
    assert is_right(judge, text, say(text.replace("Thaddeus Quill ", ""))) is False


@pytest.mark.weights
def test_what_the_model_cannot_hear_is_not_judged(judge: WordJudge, say: Say) -> None:
    sound = say(TEXT)
    heard = judge.judge("piper", "de-CH", TEXT, sound)
    assert (heard.right, heard.unjudged) == (None, "the model does not know the language de-CH")
    long = replace(sound, rate=sound.rate // 20)
    assert "longer than" in judge.judge("piper", "en", TEXT, long).unjudged


@pytest.mark.weights
def test_a_word_is_missed_in_scripts_that_whisper_writes_in_another_way() -> None:
    if not all(map(find_spec, ("faster_whisper", "espeakng_loader", "rjieba"))):
        unavailable("faster-whisper, espeakng-loader or rjieba")
    judge = WordJudge(needed("whisper-base"))
    engine = Catalogue(ModelFolders(named={"kokoro": needed("kokoro")})).create("kokoro")
    engine.load("cpu")
    for language, voice, text, word, right in (
        # Whisper writes it in Urdu's letters.
        ("hi", "hf_alpha", "हम सब मिलकर यह काम करेंगे।", "", True),
        # It has no spaces, and Whisper prefers traditional characters.
        ("zh", "zf_xiaobei", "我在二零一九年搬到了上海。", "搬", False),
    ):
        said = text.replace(word, "")
        (sound,) = speak(engine, Line(text=said, language=language, voice=voice))
        assert judge.judge("kokoro", language, text, sound).right is right, language


def test_a_model_that_cannot_be_loaded_fails_no_line(tmp_path: Path) -> None:
    sound = Audio(samples=np.ones(16_000, np.float32), rate=16_000)
    heard = WordJudge(tmp_path).judge("piper", "en", TEXT, sound)
    assert heard.right is None and heard.unjudged


def test_thresholds_are_those_calibrated_for_the_engine_or_the_defaults(tmp_path: Path) -> None:
    own = Threshold(evidence=1.5, errors=0.1)
    Thresholds.load(tmp_path).save(tmp_path, "piper", "en", own)
    loaded = Thresholds.load(tmp_path)
    assert loaded.of("piper", "en-GB") == own
    assert loaded.of("kokoro", "en-GB") == DEFAULTS["en"]
    assert loaded.of("piper", "nl") == DEFAULTS["*"]


def test_calibration_takes_two_of_a_hundred_right_lines_for_wrong_whatever_was_misheard() -> None:
    said = (("in", 5.0),)
    good = Fit(text="", evidence=said, slips=0, errors=0.0, added=0)
    lacking, more = good._replace(evidence=(("in", -1.0),)), good._replace(added=9)
    unlike = good._replace(slips=9, errors=0.5)
    for odd in ([lacking, more], [lacking] * 3, [more] * 3, [lacking, more, unlike], [unlike] * 3):
        fits = [*odd, *[good] * (100 - len(odd))]
        threshold = calibrated_to(fits)
        assert sum(fit.judged(threshold).right is False for fit in fits) <= 2
    assert calibrated_to([good] * 100) == Threshold(evidence=5, errors=0)
    unrivalled = good._replace(evidence=())
    assert calibrated_to([unrivalled] * 100) == Threshold(evidence=0, errors=0)
    with pytest.raises(BadInput, match=f"at least {FEWEST} lines"):
        calibrated_to([good] * 49)


def test_a_word_for_which_the_sound_says_little_is_named_but_not_refused() -> None:
    fit = Fit(text="", evidence=(("in", 0.4),), slips=0, errors=0.0, added=0)
    heard = fit.judged(Threshold(errors=0, evidence=0))
    assert (heard.right, heard.uncertain) == (None, ("in",))
    refused = fit.judged(Threshold(errors=0, evidence=0.5))
    assert (refused.right, refused.uncertain) == (False, ())
    certain = fit.judged(Threshold(errors=0, evidence=-0.5))
    assert (certain.right, certain.uncertain) == (True, ())


def test_thresholds_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    (tmp_path / "thresholds.part").mkdir()
    with pytest.raises(BadInput, match="cannot be written: Is a directory"):
        Thresholds.load(tmp_path).save(tmp_path, "piper", "en", DEFAULTS["en"])


@pytest.mark.parametrize("content", ["{", "[]", '{"piper": {"en": {"added": -7}}}'])
def test_thresholds_that_cannot_be_read_are_left_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "thresholds.json").write_text(content)
    assert Thresholds.load(tmp_path).of("piper", "en") == DEFAULTS["en"]
