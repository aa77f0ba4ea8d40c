"""A converter over a base acts as one engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.conversion import Converted, spec_of
from dubbing.engines.engine import EngineSpec, Line, Spoken, VoiceForm
from dubbing.engines.models.folders import Weights
from dubbing.errors import BadInput, SpeechRejected
from dubbing.media.samples import Audio, peak

TEXTS = ("You told me so.", "Yes.", "I never said that I would stay.")


class Amplifier:
    """A converter whose voices differ in loudness; it refuses long sounds."""

    weights: ClassVar[Weights | None] = None
    extra: ClassVar[str] = ""
    libraries: ClassVar[tuple[str, ...]] = ()
    spec = Tone.spec.model_copy(
        update={"name": "amplifier", "voices": (), "base": "tone", "batch_lines": 4, "recipe": 7}
    )

    def __init__(self, name: str = "amplifier", folder: Path = Path(), model: str = "a") -> None:
        self.model = model
        self.calls: list[int] = []

    def load(self, device: str) -> None: ...

    def unload(self) -> None: ...

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        return {"peak": np.array([peak(reference.samples)])}

    def convert(self, sounds: Sequence[Audio], voices: Sequence[VoiceForm]) -> list[Spoken]:
        self.calls.append(len(sounds))
        return [
            SpeechRejected("too long") if sound.seconds > 2 else _scaled(sound, voice["peak"][0])
            for sound, voice in zip(sounds, voices, strict=True)
        ]


def _scaled(sound: Audio, loudest: float) -> Audio:
    factor = np.float32(loudest / peak(sound.samples))
    return Audio(samples=sound.samples * factor, rate=sound.rate)


def tone(name: str = "tone", **changes: object) -> Tone:
    base = Tone(name)
    base.spec = base.spec.model_copy(update=changes)
    base.load("cpu")
    return base


def line(text: str, loudest: float, base_voice: str = "low") -> Line:
    voice = {"peak": np.array([loudest])}
    return Line(text=text, language="en", voice=voice, base_voice=base_voice)


def test_what_the_base_said_becomes_the_voice_beside_it() -> None:
    engine = Converted(Amplifier(), tone())
    lines = [line(text, loudest) for text, loudest in zip(TEXTS, (0.1, 0.2, 0.3), strict=True)]
    results = engine.synthesize(lines[:2])
    sounds = [result for result in results if isinstance(result, Audio)]
    assert [peak(sound.samples) for sound in sounds] == pytest.approx([0.1, 0.2])
    (plain,) = tone().synthesize([Line(text=TEXTS[0], language="en", voice="low")])
    assert isinstance(plain, Audio)
    assert len(sounds[0].samples) == len(plain.samples)


def test_each_refusal_stands_in_its_line() -> None:
    converter = Amplifier()
    engine = Converted(converter, tone())
    nobody = Line(text=TEXTS[0], language="en", voice="nobody", base_voice="low")
    no_base = line(TEXTS[0], 0.1, base_voice="gone")
    results = engine.synthesize([nobody, line(TEXTS[1], 0.1), no_base, line(TEXTS[2], 0.1)])
    words = [str(result) if isinstance(result, SpeechRejected) else "" for result in results]
    assert "'nobody' is not a voice to convert to" in words[0]
    assert words[1] == ""
    assert "tone has no voice 'gone'" in words[2]
    assert words[3] == "too long"
    assert converter.calls == [2]


def test_without_a_sound_nothing_is_converted() -> None:
    converter = Amplifier()
    assert Converted(converter, tone()).synthesize([]) == []
    Converted(converter, tone()).synthesize([line(TEXTS[0], 0.1, base_voice="gone")])
    assert converter.calls == []


def test_its_model_is_both_of_theirs() -> None:
    others = [
        Converted(Amplifier(), tone()),
        Converted(Amplifier(model="b"), tone()),
        Converted(Amplifier(), tone("tone-two")),
        Converted(Amplifier(), tone(recipe=2)),
    ]
    changed = tone()
    changed.model = "another"
    models = [engine.model for engine in (*others, Converted(Amplifier(), changed))]
    assert len(set(models)) == len(models)
    assert Converted(Amplifier(), tone()).model == models[0]


SPECS = {"tone": Tone.spec, "amplifier": Amplifier.spec}


def test_a_spec_over_a_base_has_what_each_decides() -> None:
    base = Tone.spec.model_copy(
        update={"name": "base", "languages": ("de",), "clones": False, "batch_lines": 2}
    )
    over = spec_of("amplifier", {**SPECS, "base": base}, "base")
    assert (over.name, over.base, over.clones) == ("amplifier", "base", True)
    assert (over.languages, over.voices, over.speed) == (base.languages, base.voices, base.speed)
    assert (over.batch_lines, over.recipe) == (2, 7)
    assert over == Converted(Amplifier(), tone(**base.model_dump(include={
        "name", "languages", "clones", "batch_lines",
    }))).spec  # fmt: skip


def test_a_converter_stands_on_its_own_base_unless_another_is_named() -> None:
    assert spec_of("amplifier", SPECS).base == "tone"
    assert spec_of("tone", SPECS) is Tone.spec


@pytest.mark.parametrize(
    ("engine", "base", "words"),
    [
        ("tnoe", None, "no engine 'tnoe'; did you mean 'tone'"),
        ("amplifier", "tnoe", "no engine 'tnoe'; did you mean 'tone'"),
        ("tone", "tone", "'tone' is not a converter"),
        ("amplifier", "amplifier", "'amplifier' is a converter"),
        ("amplifier", "cloner", "'cloner' has no voices of its own"),
    ],
)
def test_a_base_that_cannot_serve_is_named(engine: str, base: str | None, words: str) -> None:
    cloner = EngineSpec.model_copy(Tone.spec, update={"name": "cloner", "voices": ()})
    with pytest.raises(BadInput, match=words):
        spec_of(engine, {**SPECS, "cloner": cloner}, base)
