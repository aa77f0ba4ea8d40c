"""What Kokoro reads: the phonemes of its training, in each language."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest
from services import unavailable

from dubbing.engines.adapters._kokoro.japanese import sounds
from dubbing.engines.adapters._kokoro.phonemes import reading
from dubbing.engines.adapters._kokoro.symbols import SYMBOLS
from dubbing.errors import SpeechRejected


@pytest.fixture(autouse=True)
def library() -> None:
    if not find_spec("espeakng_loader"):
        unavailable("espeakng-loader")


@pytest.mark.parametrize(
    ("variety", "text", "phonemes"),
    [
        ("en-US", "The judge's boy, going home.", "ðə ʤˈʌʤᵻz bˈY, ɡˌOɪŋ hˈOm."),
        ("en-US", "Little bird, a button.", "lˈɪTᵊl bˈɜɹd, ɐ bˈʌtn."),
        ("en-US", "Gull Point, I hear. I'm here.", "ɡˈʌl pˈYnt, ˌI hˈɪɹ. Im hˈɪɹ."),
        ("en-GB", "Going there, near water.", "ɡˌQɪŋ ðˈɛː, nˌɪə wˈɔːtə."),
        ("es", "¿El muchacho?", "¿el muʧˈaʧo?"),
        ("fr", "Je ne sais pas.", "ʒə nə sˈɛ pˈa."),
        ("fr", "Le week-end.", "lə wˈiːkˈɛnd."),
        ("it", "Pizza e zucchero!", "pˈiʦːa e ʣˈukːeɾo!"),
    ],
)
def test_a_text_is_read_in_the_phonemes_of_the_models_training(
    variety: str, text: str, phonemes: str
) -> None:
    assert reading("kokoro", variety)(text) == phonemes


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("你好，我叫王小明。", "ni↓xau↓, wo↓ ʨjau↘ wa↗ŋɕjau↓mi↗ŋ."),
        ("银行行长说：“长城很长！”", "i↗nxa↗ŋxa↗ŋꭧa↓ŋ ʂwo→: “ꭧʰa↗ŋꭧʰə↗ŋ xə↓nꭧa↓ŋ!”"),
        ("这是儿子的绿雪人。", "ꭧɤ↘ʂɨ↘ ɚ↗ʦɨ tɤ ly↘ ɕɥe↓ɻə↗n."),
        ("嗯，用iPhone拍。", "n↗, jʊ↘ŋ ˈI fˈOn pʰai→."),
        ("二〇二四年", "ɚ↘ li↗ŋ ɚ↘ sɨ↘njɛ↗n"),
    ],
)
def test_mandarin_is_read_as_words_of_syllables_with_tones(text: str, phonemes: str) -> None:
    if not find_spec("rjieba"):
        unavailable("rjieba")
    assert reading("kokoro", "zh")(text) == phonemes


@pytest.mark.parametrize(
    ("text", "problem"), [("我要3个。", r"figures.*\(3\).*dubbing\[text\]"), ("㐂", "read '㐂'")]
)
def test_a_figure_or_character_that_mandarin_cannot_read_is_told(text: str, problem: str) -> None:
    if not find_spec("rjieba"):
        unavailable("rjieba")
    with pytest.raises(SpeechRejected, match=problem):
        reading("kokoro", "zh")(text)


# pyopenjtalk-plus calls a method of sudachipy that is to be renamed.
@pytest.mark.filterwarnings("ignore:Dictionary.create:DeprecationWarning")
@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("船は夜明け前に出ると言ったよ。", "ɸɯne βa joake mae ɲi deɾɯ to iʔta jo."),
        (
            "「コーヒーを二杯、東京へ」と答えました！",
            "“koːçiː o ɲi hai, toːkʲoː e” to kotaemaɕita!",
        ),
        ("3人でOKですか？", "saɴ ɲiɴ de ˌOkˈA desɨ ka?"),
    ],
)
def test_japanese_is_read_as_words_without_accents(text: str, phonemes: str) -> None:
    pytest.importorskip("pyopenjtalk", reason="large: scripts/setup leaves it out")
    assert reading("kokoro", "ja")(text) == phonemes


@pytest.mark.parametrize(
    ("kana", "phonemes"),
    [
        ("キョー", "kʲoː"),
        ("ガッコー", "ɡaʔkoː"),
        ("シンブン", "ɕimbɯɴ"),
        ("ギンコーデンシャ", "ɡʲiŋkoːdeɴɕa"),
        ("ニンニク", "ɲiɲɲikɯ"),
        ("ジェットティーヴ", "ʥeʔtotʲiːvɯ"),
        ("ウィークデス’", "βiːkɯdesɨ"),
        ("クォーツファン", "kᵝoːʦɨɸaɴ"),
        ("デュオ", "dʲɨo"),
    ],
)
def test_kana_have_the_phonemes_of_the_models_training(kana: str, phonemes: str) -> None:
    assert sounds(kana) == phonemes


@pytest.mark.parametrize(
    ("variety", "library", "extra"),
    [
        ("ja", "pyopenjtalk", "kokoro-ja"),
        ("zh", "rjieba", "kokoro-zh"),
        ("zh", "pypinyin", "kokoro-zh"),
    ],
)
def test_a_language_without_its_library_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, variety: str, library: str, extra: str
) -> None:
    read = reading("kokoro", variety)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(SpeechRejected, match=rf"dubbing\[{extra}\]"):
        read("好")


def test_symbols_have_the_numbers_that_are_published() -> None:
    assert SYMBOLS.of("ˈAbc, ʧᵻ") == [0, 156, 24, 44, 45, 3, 16, 133, 177, 0]
    assert len(SYMBOLS.numbers) == 114
