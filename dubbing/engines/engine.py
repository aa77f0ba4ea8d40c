"""The interface between the pipeline and its speech engines.

An engine describes itself as data (`EngineSpec`); no code outside its own file asks for its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias, TypeVar

from pydantic import Field, model_validator

from dubbing.documents import Identifier, Model, validated
from dubbing.engines.models.folders import Weights, read_config
from dubbing.errors import BadInput, DubbingError, EngineMissing
from dubbing.job.emotion import Emotion, Means

# Planning and checks import this module and handle no sound, so libraries for sound are imported
# only for type checking.
if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from dubbing.media.samples import Audio

VoiceForm: TypeAlias = "Mapping[str, npt.NDArray[np.generic]]"
"""An engine's form of a voice, derived from a reference: named arrays, stored as safetensors."""

FIXED = frozenset({"clones", "sample_rate", "delivery", "emotions", "base", "recipe", "says_words"})
"""Fields of a spec that a model cannot override, because its weights or the code decide them."""
OVERRIDES = "dubbing.json"
"""The file in a model's folder that overrides fields of the engine's spec."""

DIGIT_WEIGHT = 6
"""Characters that a digit counts as, because it is spoken as a word."""
FAULT_FACTOR = 3.0
"""Multiple of the estimated length above which speech counts as faulty."""

Number = TypeVar("Number", int, float)


class EngineSpec(Model):
    """The abilities of an engine, as published to ``engines/<instance>.json``."""

    name: Identifier
    """Name of the instance, part of queue names and clip keys."""
    summary: str
    languages: tuple[str, ...]
    """BCP 47 tags. A tag covers its regions: ``pt`` covers ``pt-BR``; ``*`` covers all."""
    voices: tuple[str, ...] = ()
    """Stock voices. Roles of the cast without a voice get voices of `stock` in turn."""
    voice_languages: dict[str, str] = Field(default={})
    """The language that a stock voice was made for, if any. The voice speaks the engine's other
    languages with an accent."""
    says_words: bool = True
    """Whether its speech contains words; an engine that hums gets no proof of words."""
    clones: bool = False
    """Whether it can speak in a voice extracted from a reference."""
    reference_seconds: tuple[float, float] | None = None
    """Shortest and longest usable reference, in seconds."""
    needs_transcript: bool = False
    """Whether a reference needs its transcript."""
    max_characters: dict[str, int]
    """Longest line in characters, by language; ``*`` for all others."""
    characters_per_second: dict[str, float] = Field(default={"*": 15.0})
    """Natural pace by language; used to estimate lengths, never to cut speech."""
    speed: tuple[float, float] = (1.0, 1.0)
    """Slowest and fastest speed that the engine itself offers; equal when it has only one."""
    delivery: tuple[Literal["pitch", "style"], ...] = ()
    """Fields of a role's delivery that it supports."""
    emotions: tuple[Means, ...] = ()
    """The descriptions of an emotion that it supports."""
    sample_rate: int
    """Hz."""
    batch_lines: int
    """Most lines in a batch."""
    batch_seconds: float
    """Largest batch with padding, in seconds of speech: number of lines × longest line."""
    seconds_per_call: float = 120.0
    """Seconds after which a call for one full batch counts as hanging."""
    seconds_to_load: float = 900.0
    """Seconds after which loading counts as hanging: a large model on a slow disk takes minutes."""
    device: Literal["cpu", "cuda", "remote"] = "cpu"
    """Its best device. Without a GPU, an engine for ``cuda`` uses the CPU. A ``remote`` engine
    speaks on other machines."""
    base: Identifier | None = None
    """Default base engine of a converter, which changes the voice of the base's speech; None for an
    engine that speaks itself."""
    recipe: int = 1
    """A number to raise whenever the adapter's sound changes, so that old clips are not reused."""
    licence: str

    @model_validator(mode="after")
    def _holds_for_every_language(self) -> EngineSpec:
        if not all("*" in table for table in (self.max_characters, self.characters_per_second)):
            raise ValueError("max_characters and characters_per_second need an entry for '*'")
        return self

    def over(self, base: EngineSpec) -> EngineSpec:
        """Return the spec of this converter over ``base``: the base's own, with cloned voices."""
        return base.model_copy(
            update={
                "name": self.name,
                "summary": f"{self.summary}, over {base.name}",
                "base": base.name,
                "clones": True,
                "reference_seconds": self.reference_seconds,
                "needs_transcript": self.needs_transcript,
                # The voice of an emotion has only the converter's form.
                "emotions": tuple(means for means in base.emotions if means != "voice"),
                "sample_rate": self.sample_rate,
                "batch_lines": min(self.batch_lines, base.batch_lines),
                "batch_seconds": min(self.batch_seconds, base.batch_seconds),
                "seconds_per_call": self.seconds_per_call + base.seconds_per_call,
                "device": self.device,
                "recipe": self.recipe,
                "licence": f"{self.licence}, {base.licence}",
            }
        )

    def covers(self, language: str) -> bool:
        """Whether the engine speaks ``language``, or the language without its region."""
        tag = language.lower()
        return any(
            spoken == "*" or tag == spoken.lower() or tag.startswith(f"{spoken.lower()}-")
            for spoken in self.languages
        )

    def stock(self, language: str) -> tuple[str, ...]:
        """Return the stock voices that were made for ``language``, or else all stock voices.

        Voices for another region of the language count if there are none for the same region.
        """
        for wanted in (language, language.partition("-")[0]):
            made = {voice: self.voice_languages.get(voice, wanted) for voice in self.voices}
            if found := tuple(v for v in made if _related(made[v].lower(), wanted.lower())):
                return found
        return self.voices

    @property
    def own_language(self) -> str:
        """The language of an engine that speaks only one; ``""`` for several."""
        tags = [tag for tag in self.languages if tag != "*"]
        # The same language may be listed both with and without its region.
        return tags[0] if len({tag.partition("-")[0] for tag in tags}) == 1 else ""

    def limit(self, language: str) -> int:
        """Return the most characters of a line in ``language``."""
        return _by_language(self.max_characters, language)

    def pace(self, language: str) -> float:
        """Return the natural pace in ``language``, in characters a second."""
        return _by_language(self.characters_per_second, language)

    def foresee(self, text: str, language: str) -> float:
        """Return an estimate of the seconds that ``text`` takes at the natural pace."""
        return weight(text) / self.pace(language)

    def reference_fault(self, seconds: float | None, transcript: str) -> str | None:
        """Return why a reference cannot be cloned, or None if it can.

        seconds: length of the reference; None if it is not known yet.
        transcript: its transcript, or ``""``.
        """
        if self.needs_transcript and not transcript:
            return (
                f"engine {self.name!r} needs the transcript of a reference: make a voice with "
                "`dubbing voices extract --transcript`"
            )
        shortest, longest = self.reference_seconds or (0.0, float("inf"))
        if seconds is None or shortest <= seconds <= longest:
            return None
        return (
            f"engine {self.name!r} needs a reference of {shortest:g} to {longest:g} s, "
            f"and this one lasts {seconds:.1f} s"
        )

    def longest(self, text: str, language: str, speed: float) -> float:
        """Return the seconds above which speech of ``text`` at ``speed`` counts as faulty."""
        return 2.0 + FAULT_FACTOR * self.foresee(text, language) / speed


def weight(text: str) -> int:
    """Return the number of characters of a text, in which a digit counts `DIGIT_WEIGHT`."""
    return len(text) + sum(map(str.isdigit, text)) * (DIGIT_WEIGHT - 1)


def _related(tag: str, other: str) -> bool:
    """Whether two tags are the same, or one is the other without its region."""
    return tag == other or tag.startswith(f"{other}-") or other.startswith(f"{tag}-")


def _by_language(table: Mapping[str, Number], language: str) -> Number:
    for tag in (language, language.split("-", maxsplit=1)[0], "*"):
        if tag in table:
            return table[tag]
    raise KeyError(language)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line for an engine to speak."""

    text: str
    """Normalised: not empty, no control characters."""
    language: str
    """BCP 47 tag that the spec covers."""
    voice: str | VoiceForm
    """The name of a stock voice, or the form that `Engine.extract` returned for the speaker."""
    base_voice: str = ""
    """Stock voice of the base engine, for a line that is converted."""
    speed: float = 1.0
    """Within the spec's range."""
    pitch: float = 0.0
    """Semitones."""
    style: str = ""
    emotion: Emotion | None = None
    """An emotion that the spec supports, or None."""
    emotion_voice: VoiceForm | None = None
    """Form of the voice that shows the emotion, for an emotion by a voice."""
    seed: int = 0
    """The same line with the same seed sounds the same, as far as the engine allows."""


Spoken: TypeAlias = "Audio | DubbingError"
"""The result of a line: sound, or the error that prevented it."""


class Voicing(Protocol):
    """An engine or a converter: it has a model, and derives voices from recordings.

    Every command that lists engines imports the class, so heavy imports belong inside ``load``. An
    object is used by one thread at a time.
    """

    weights: ClassVar[Weights | None]
    """The files that its model's folder must hold; None when it needs no model."""
    extra: ClassVar[str]
    """The extra that installs its library; ``""`` when it needs none."""
    libraries: ClassVar[tuple[str, ...]]
    """Modules of the extra that ``load`` imports, by import name."""
    spec: EngineSpec
    model: str
    """Hex digest of the loaded model; valid after ``load``."""

    def __init__(self, name: str, folder: Path) -> None:
        """Read the configuration, without loading the model.

        name: the instance's name.
        folder: the folder of its model, if it has one. Raises BadInput for a configuration that
        cannot be used.
        """

    def load(self, device: str) -> None:
        """Load the model onto ``device``; raises EngineMissing or EngineFailed."""

    def unload(self) -> None:
        """Free what ``load`` loaded."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Derive a voice from a recording; raises SpeechRejected for an unusable recording."""


class Engine(Voicing, Protocol):
    """An engine that speaks."""

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``; return one result for each, in order.

        An exception fails the whole call, which is then tried again in halves.
        """


class Converter(Voicing, Protocol):
    """A model that converts speech to another voice."""

    def convert(self, sounds: Sequence[Audio], voices: Sequence[VoiceForm]) -> list[Spoken]:
        """Convert each sound to the voice at the same position in ``voices``.

        Returns results and raises errors as `Engine.synthesize` does. Each sound keeps its length
        within a few frames.
        """


def described(spec: EngineSpec, name: str, folder: Path) -> EngineSpec:
    """Return the spec of an instance: with its name, and the overrides in its ``dubbing.json``.

    That file is in the model's folder. Raises BadInput when it cannot be used.
    """
    fields = spec.model_dump() | {"name": name}
    if (folder / OVERRIDES).exists():
        overrides = read_config(folder, OVERRIDES)
        if fixed := sorted(FIXED & overrides.keys()):
            raise BadInput(
                f"{', '.join(fixed)}: fixed by the model and its engine: remove it",
                where=str(folder / OVERRIDES),
            )
        fields |= overrides | {"name": name}
    return validated(EngineSpec, fields, folder)


def missing_libraries(engine: Voicing) -> list[str]:
    """Return the engine's libraries that are not installed."""
    return [library for library in engine.libraries if not find_spec(library)]


def require(engine: Voicing) -> None:
    """Raise EngineMissing, naming the extra, unless the engine's libraries are installed."""
    if missing_libraries(engine):
        raise EngineMissing(
            f"engine {engine.spec.name!r} needs a library that is not installed: "
            f"pip install 'dubbing[{engine.extra}]'"
        )
