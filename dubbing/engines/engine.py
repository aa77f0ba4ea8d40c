"""The seam between the pipeline and whatever speaks.

An engine describes itself as data (`EngineSpec`); nothing outside its own file asks its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias, TypeVar

from pydantic import Field, model_validator

from dubbing.documents import validated
from dubbing.engines.models.folders import Weights, read_config
from dubbing.errors import BadInput, DubbingError, EngineMissing
from dubbing.job import Identifier, Model

# Plans and checks know engines, and handle no sound: what is needed for that alone is not imported
# by them, and names of types stand in quotes.
if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from dubbing.media.samples import Audio

VoiceForm: TypeAlias = "Mapping[str, npt.NDArray[np.generic]]"
"""What an engine derives from a reference: named arrays, stored as safetensors."""

FIXED = frozenset({"clones", "sample_rate", "delivery", "base", "recipe"})
"""Fields of a spec that no model has otherwise: they are what is loaded, or what it does."""
OVERRIDES = "dubbing.json"
"""In a model's folder: the fields of its engine's spec that this model has otherwise."""

DIGIT_WEIGHT = 6
"""A digit is spoken as a word: about so many characters."""
FAULT_FACTOR = 3.0
"""Speech this many times longer than foreseen is not what was asked."""

Number = TypeVar("Number", int, float)


class EngineSpec(Model):
    """What an engine can do, as it is published to ``engines/<instance>.json``."""

    name: Identifier
    """The instance: queue names and clip keys hold it."""
    summary: str
    languages: tuple[str, ...]
    """BCP 47 tags. A tag covers its regions: ``pt`` covers ``pt-BR``; ``*`` covers all."""
    voices: tuple[str, ...] = ()
    """Stock voices; those of the cast that name none take them in turn."""
    clones: bool = False
    """Whether it speaks in a voice extracted from a reference."""
    reference_seconds: tuple[float, float] | None = None
    """Shortest and longest reference that it can use."""
    max_characters: dict[str, int]
    """Longest line a language, ``*`` for the others."""
    characters_per_second: dict[str, float] = Field(default={"*": 15.0})
    """Natural pace a language; used to foresee lengths, never to cut."""
    speed: tuple[float, float] = (1.0, 1.0)
    """Slowest and fastest speed of its own; equal when it has none."""
    delivery: tuple[Literal["pitch", "style"], ...] = ()
    """Which fields of a role's delivery it honours."""
    sample_rate: int
    """Hz."""
    batch_lines: int
    """Most lines a batch."""
    batch_seconds: float
    """Most lines × longest line, in seconds of speech: what padding makes of a batch."""
    seconds_per_call: float = 120.0
    """After this long a call that speaks one full batch is taken to hang."""
    seconds_to_load: float = 900.0
    """After this long loading is taken to hang: a large model on a slow disk takes minutes."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where it speaks best. An engine for ``cuda`` speaks on a CPU too, where there is no GPU."""
    base: Identifier | None = None
    """Of one that converts the voice of what another engine speaks: the engine that speaks where
    the cast names none."""
    recipe: int = 1
    """Raised whenever the adapter speaks differently from before: old clips are not reused."""
    licence: str

    @model_validator(mode="after")
    def _holds_for_every_language(self) -> EngineSpec:
        if not all("*" in table for table in (self.max_characters, self.characters_per_second)):
            raise ValueError("max_characters and characters_per_second need an entry for '*'")
        return self

    def over(self, base: EngineSpec) -> EngineSpec:
        """Return what a converter can do over an engine: what that can, in cloned voices."""
        return base.model_copy(
            update={
                "name": self.name,
                "summary": f"{self.summary}, over {base.name}",
                "base": base.name,
                "clones": True,
                "reference_seconds": self.reference_seconds,
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
        """Whether ``language`` or the language it is a region of is spoken."""
        tag = language.lower()
        return any(
            own == "*" or tag == own.lower() or tag.startswith(f"{own.lower()}-")
            for own in self.languages
        )

    def limit(self, language: str) -> int:
        """Return the longest line in characters."""
        return _by_language(self.max_characters, language)

    def pace(self, language: str) -> float:
        """Return the natural pace in characters a second."""
        return _by_language(self.characters_per_second, language)

    def foresee(self, text: str, language: str) -> float:
        """Return about how many seconds ``text`` takes at the natural pace."""
        digits = sum(map(str.isdigit, text))
        return (len(text) + digits * (DIGIT_WEIGHT - 1)) / self.pace(language)

    def reference_fault(self, seconds: float) -> str | None:
        """Return why a reference of so many seconds cannot serve."""
        shortest, longest = self.reference_seconds or (0.0, float("inf"))
        if shortest <= seconds <= longest:
            return None
        return (
            f"engine {self.name!r} needs a reference of {shortest:g} to {longest:g} s, "
            f"and this one lasts {seconds:.1f} s"
        )

    def longest(self, text: str, language: str, speed: float) -> float:
        """Return the seconds after which ``text`` at ``speed`` is taken for a fault."""
        return 2.0 + FAULT_FACTOR * self.foresee(text, language) / speed


def _by_language(table: Mapping[str, Number], language: str) -> Number:
    for tag in (language, language.split("-", maxsplit=1)[0], "*"):
        if tag in table:
            return table[tag]
    raise KeyError(language)


@dataclass(frozen=True, kw_only=True)
class Line:
    """What an engine is asked to say."""

    text: str
    """Normalised: not empty, no control characters."""
    language: str
    """BCP 47 tag that the spec covers."""
    voice: str | VoiceForm
    """A stock voice's name, or what `Engine.extract` returned for the speaker."""
    base_voice: str = ""
    """Of a line that is converted: the stock voice in which the engine below says it."""
    speed: float = 1.0
    """Within the spec's range."""
    pitch: float = 0.0
    """Semitones."""
    style: str = ""
    seed: int = 0
    """The same line with the same seed is spoken the same, as far as the engine can."""


Spoken: TypeAlias = "Audio | DubbingError"
"""What became of a line: sound, or why there is none."""


class Voicing(Protocol):
    """What has a model, and derives voices from recordings: an engine, or a converter.

    The class is imported by every command that lists engines, so heavy imports stand inside
    ``load``. One object is used by one thread at a time.
    """

    weights: ClassVar[Weights | None]
    """What its model's folder has to hold; None when it needs no model."""
    extra: ClassVar[str]
    """The extra that brings its library, ``""`` when it needs none."""
    libraries: ClassVar[tuple[str, ...]]
    """The modules that ``load`` imports and the extra brings."""
    spec: EngineSpec
    model: str
    """Hex digest of the loaded model; valid after ``load``."""

    def __init__(self, name: str, folder: Path) -> None:
        """Read what can be told without loading.

        name: of the instance. folder: where its model lies, if there is one.
        Raises BadInput for a folder whose configuration cannot be used.
        """

    def load(self, device: str) -> None:
        """Load the model onto ``device``; raises EngineMissing or EngineFailed."""

    def unload(self) -> None:
        """Free what ``load`` took."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Derive a voice from a recording; raises SpeechRejected when it cannot serve."""


class Engine(Voicing, Protocol):
    """Something that speaks."""

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, one result a line, in order.

        A raised exception fails the whole call, which is then tried in halves.
        """


class Converter(Voicing, Protocol):
    """Something that makes what one voice said sound as if another had."""

    def convert(self, sounds: Sequence[Audio], voices: Sequence[VoiceForm]) -> list[Spoken]:
        """Convert each sound to the voice beside it; results, and what is raised, as `synthesize`.

        The length of each stays as it is, to some frames.
        """


def described(spec: EngineSpec, name: str, folder: Path) -> EngineSpec:
    """Return the spec of an instance: its own name, and what its model has otherwise.

    That stands in ``dubbing.json`` beside the model. Raises BadInput when it cannot be used.
    """
    own = spec.model_dump() | {"name": name}
    if (folder / OVERRIDES).exists():
        said = read_config(folder, OVERRIDES)
        if fixed := sorted(FIXED & said.keys()):
            raise BadInput(
                f"{', '.join(fixed)}: the model and its engine decide that: take it out",
                where=str(folder / OVERRIDES),
            )
        own |= said | {"name": name}
    return validated(EngineSpec, own, folder)


def missing_libraries(engine: Voicing) -> list[str]:
    """Return which of the engine's libraries are not installed."""
    return [library for library in engine.libraries if not find_spec(library)]


def require(engine: Voicing) -> None:
    """Raise EngineMissing, naming the extra, unless the engine's libraries are installed."""
    if missing_libraries(engine):
        raise EngineMissing(
            f"engine {engine.spec.name!r} needs a library that is not installed: "
            f"pip install 'dubbing[{engine.extra}]'"
        )
