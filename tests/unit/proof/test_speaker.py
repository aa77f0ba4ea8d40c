"""Which voice a line sounds like: with the real encoder, and eSpeak variants as speakers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest
import weights
from pickles import Evil
from services import unavailable
from speech import line, loaded, speak

from dubbing.engines.adapters.kokoro import Kokoro
from dubbing.engines.adapters.piper import Piper
from dubbing.engines.engine import Engine
from dubbing.errors import WorkerEnds
from dubbing.media.samples import Audio
from dubbing.proof.speaker import Heard, Match, SpeakerListener, compare, embed
from dubbing.voices import speaker_encoder as listener
from dubbing.voices.speaker_encoder import ONE_SPEAKER, unity

TEXTS = (
    "You told me the ship would leave before dawn.",
    "The door was open when we came back from the harbour.",
    "If you had listened to me once, we would not be standing here in the rain.",
    "Somebody has to pay for all this, and it will not be me.",
)
SHORT = (
    "Drop your anchor in the bay.",
    "I can hear the waves out there.",
    "How long do I hold it?",
)
PACES = (1.0, 1.2, 0.9, 1.3)
LEVELS = (1.0, 0.3, 0.1, 1.5)


@pytest.fixture(scope="module")
def espeak() -> Iterator[Engine]:
    if not listener.available():
        unavailable("the speaker encoder")
    yield from loaded("espeak", Path())


@pytest.fixture
def fresh() -> Iterator[None]:
    """Load the encoder anew in this test, and again after it."""
    listener._encoder.cache_clear()
    yield
    listener._encoder.cache_clear()


def say(espeak: Engine, voice: str) -> list[Audio]:
    """Return the texts in one voice, at several paces and levels."""
    lines = [line(espeak, text, voice=voice, speed=p) for text, p in zip(TEXTS, PACES, strict=True)]
    return [
        Audio(samples=sound.samples * np.float32(level), rate=sound.rate)
        for sound, level in zip(speak(espeak, *lines), LEVELS, strict=True)
    ]


def joined(*sounds: Audio) -> Audio:
    samples = np.concatenate([sound.samples for sound in sounds])
    return Audio(samples=samples, rate=sounds[0].rate)


def scene(espeak: Engine, cast: dict[str, str]) -> list[Heard]:
    """Return every text in each voice of ``cast``, which maps voices to eSpeak variants."""
    heard = []
    for voice, variant in cast.items():
        for number, sound in enumerate(say(espeak, variant)):
            embedding = embed(sound)
            assert embedding is not None
            heard.append(Heard(id=f"{voice}{number}", voice=("e", voice), sound=embedding))
    return heard


def test_a_line_in_another_voice_is_told_and_no_other(espeak: Engine) -> None:
    voices = espeak.spec.voices[:4]
    lines = scene(espeak, {voice: voice for voice in voices})
    for one, other in combinations(voices, 2):
        said = {line.id: line for line in lines}
        swapped = Heard(id=f"{one}2", voice=("e", one), sound=said[f"{other}2"].sound)
        found = compare([*(said | {swapped.id: swapped}).values()], {})
        doubted = {id_: match.sounds_like for id_, match in found.items() if match.sounds_like}
        assert doubted == {f"{one}2": ("e", other)}


def test_lines_in_their_own_voices_are_like_them(espeak: Engine) -> None:
    voices = espeak.spec.voices[:4]
    found = compare(scene(espeak, {voice: voice for voice in voices}), {})
    assert not any(match.sounds_like for match in found.values())
    assert all(match.similarity and match.similarity > 0.75 for match in found.values())


@pytest.mark.weights
def test_real_voices_are_told_apart(espeak: Engine) -> None:
    engines: tuple[Engine, ...] = (
        Kokoro("kokoro", weights.needed("kokoro")),
        Piper("piper", weights.needed("piper")),
    )
    cast = {"af_heart": engines[0], "joe": engines[1], "Annie": espeak}
    for engine in engines:
        engine.load("cpu")
    lines = []
    for voice, engine in cast.items():
        sounds = speak(engine, *(line(engine, text, voice=voice) for text in SHORT))
        for number, embedding in enumerate(map(embed, sounds)):
            assert embedding is not None
            lines.append(Heard(id=f"{voice}{number}", voice=("e", voice), sound=embedding))
    assert not any(match.sounds_like for match in compare(lines, {}).values())
    said = {line.id: line for line in lines}
    for one, other in permutations(cast, 2):
        wrong = Heard(id=f"{one}0", voice=("e", one), sound=said[f"{other}0"].sound)
        rest = [line for id_, line in said.items() if id_ not in (f"{one}0", f"{other}0")]
        assert compare([*rest, wrong], {})[wrong.id].sounds_like == ("e", other)


def test_how_loud_a_voice_is_does_not_matter(espeak: Engine) -> None:
    [sound] = speak(espeak, line(espeak, TEXTS[0]))
    loud = embed(sound)
    quiet = embed(Audio(samples=sound.samples * np.float32(0.001), rate=sound.rate))
    assert loud is not None and quiet is not None
    assert np.linalg.norm(loud) == pytest.approx(1)
    assert loud @ quiet == pytest.approx(1, abs=1e-4)


def test_silence_around_and_between_words_does_not_matter(espeak: Engine) -> None:
    [sound] = speak(espeak, line(espeak, TEXTS[0]))
    pause = Audio(samples=np.zeros(3 * sound.rate, np.float32), rate=sound.rate)
    plain, paused = embed(sound), embed(joined(pause, sound, pause))
    assert plain is not None and paused is not None
    assert plain @ paused > 0.98


def test_lines_that_are_heard_together_sound_as_they_do_alone(
    espeak: Engine, tmp_path: Path
) -> None:
    sounds = {f"{voice}{n}": s for voice in ("m3", "f1") for n, s in enumerate(say(espeak, voice))}
    ears = SpeakerListener(tmp_path / "heard")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ears.hear, sounds, sounds.values()))
    together = ears.sounds()
    alone = {id_: sound for id_, s in sounds.items() if (sound := embed(s)) is not None}
    assert together.keys() == alone.keys()
    for id_, sound in alone.items():
        assert np.allclose(together[id_], sound, atol=1e-5)


def test_listening_stops_when_it_is_told_to(espeak: Engine, tmp_path: Path) -> None:
    ears = SpeakerListener(tmp_path / "heard")
    for number, sound in enumerate(say(espeak, "m3")):
        ears.hear(str(number), sound)

    def check() -> None:
        raise WorkerEnds("told to end")

    with pytest.raises(WorkerEnds):
        ears.sounds(check)


def test_a_word_is_too_short_to_tell_who_says_it(espeak: Engine) -> None:
    [word] = speak(espeak, line(espeak, "Stop."))
    pause = Audio(samples=np.zeros(3 * word.rate, np.float32), rate=word.rate)
    assert embed(word) is None
    assert embed(joined(pause, word, pause)) is None
    assert embed(pause) is None
    assert embed(Audio(samples=np.zeros(0, np.float32), rate=16_000)) is None
    assert unity(word) is None


def test_a_recording_of_two_is_told_from_that_of_one(espeak: Engine) -> None:
    texts = [*TEXTS, "I never said that I would stay with you, not for a day, not for an hour."] * 2
    ada, bob = (
        speak(espeak, *(line(espeak, text, voice=voice) for text in texts))
        for voice in espeak.spec.voices[:2]
    )
    together = unity(joined(*ada[:5], *bob[5:]))
    alone = [unity(joined(*sounds)) for sounds in (ada, bob)]
    assert together is not None and together < ONE_SPEAKER
    assert all(one is not None and one > ONE_SPEAKER for one in alone)
    assert unity(ada[0]) is None


@pytest.mark.parametrize(("band", "hertz"), [(4, 368), (13, 1031), (24, 2376), (35, 5474)])
def test_bands_are_those_that_the_encoder_was_trained_on(band: int, hertz: float) -> None:
    time = np.arange(listener.RATE) / listener.RATE
    tone = Audio(samples=np.sin(2 * np.pi * hertz * time).astype(np.float32), rate=listener.RATE)
    spectra = listener._spectra(tone)
    assert spectra.shape == (101, 40)
    assert set(spectra[5:-5].argmax(axis=1)) == {band}


# Which lines and references are compared.


def direction(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def heard(voice: str, *degrees: float) -> list[Heard]:
    return [
        Heard(id=f"{voice}{n}", voice=("e", voice), sound=direction(of))
        for n, of in enumerate(degrees)
    ]


def test_a_cloned_voice_is_known_by_its_reference() -> None:
    lines = [*heard("ada", 60, 60, 60), *heard("bob", 60, 60, 60)]
    references = {("e", "ada"): direction(0), ("e", "bob"): direction(60)}
    found = compare(lines, references)
    # All of Ada's lines are alike, but all are in Bob's voice.
    assert found["ada0"] == Match(similarity=pytest.approx(0.5), sounds_like=("e", "bob"))
    assert found["bob0"] == Match(similarity=pytest.approx(1.0))


def test_a_recording_is_not_held_against_spoken_lines() -> None:
    # Any recording differs from synthetic speech, even from speech cloned from it.
    lines = [*heard("cloned", 40, 40, 40), *heard("stock", 70, 70, 70)]
    found = compare(lines, {("e", "cloned"): direction(0)})
    assert found["cloned0"] == Match(similarity=pytest.approx(np.cos(np.radians(40))))
    assert found["stock0"] == Match(similarity=pytest.approx(1.0))


def test_too_few_lines_tell_nothing_of_a_voice() -> None:
    lines = [*heard("ada", 0, 0), *heard("bob", 0, 60, 60), *heard("cy", 0)]
    found = compare(lines, {})
    assert found["ada0"] == found["cy0"] == Match()
    # Bob has enough lines, and so has Ada when none of her lines is left out.
    assert found["bob0"].similarity == pytest.approx(0.5)
    assert found["bob0"].sounds_like == ("e", "ada")


def test_voices_that_are_alike_cause_no_doubt() -> None:
    lines = [*heard("ada", 0, 10, 5), *heard("bob", 8, 2, 5)]
    assert not any(match.sounds_like for match in compare(lines, {}).values())


def test_a_voice_alone_is_compared_with_itself() -> None:
    found = compare(heard("ada", 0, 0, 90), {})
    assert found["ada2"] == Match(similarity=pytest.approx(0, abs=1e-6))
    assert compare([], {}) == {}


# Faults of the encoder.


def some_speech() -> Audio:
    noise = np.random.default_rng(1).standard_normal(3 * 16_000).astype(np.float32)
    return Audio(samples=noise * np.float32(0.1), rate=16_000)


def test_without_the_encoder_nothing_is_told(monkeypatch: pytest.MonkeyPatch, fresh: None) -> None:
    monkeypatch.setitem(sys.modules, "resemblyzer", None)
    assert not listener.available()
    assert embed(some_speech()) is None


def test_weights_that_hold_code_are_refused(
    monkeypatch: pytest.MonkeyPatch, fresh: None, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    package = tmp_path / "resemblyzer"
    package.mkdir()
    (package / "__init__.py").touch()
    torch.save(
        {"model_state": Evil(tmp_path / "owned")},
        package / "pretrained.pt",
        _use_new_zipfile_serialization=False,
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert listener._weights() == package / "pretrained.pt"
    assert embed(some_speech()) is None
    assert not (tmp_path / "owned").exists()
