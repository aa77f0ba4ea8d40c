"""The seam between the pipeline and whatever speaks.

An engine describes itself as data (`EngineSpec`); nothing outside its own file asks its name.
Engines are found by the entry point group ``dubbing.engines``, the built-in ones too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import ClassVar, Literal, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, model_validator

from dubbing.audio import Audio
from dubbing.errors import DubbingError, EngineMissing, NotFound
from dubbing.job import Identifier, Model
from dubbing.keys import Keys
from dubbing.storage import Storage

VoiceForm = Mapping[str, npt.NDArray[np.generic]]
"""What an engine derives from a reference: named arrays, stored as safetensors."""

GROUP = "dubbing.engines"

log = logging.getLogger(__name__)

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
    device: Literal["cpu", "cuda"] = "cpu"
    recipe: int = 1
    """Raised whenever the adapter speaks differently from before: old clips are not reused."""
    licence: str

    @model_validator(mode="after")
    def _holds_for_every_language(self) -> EngineSpec:
        if not all("*" in table for table in (self.max_characters, self.characters_per_second)):
            raise ValueError("max_characters and characters_per_second need an entry for '*'")
        return self

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
    speed: float = 1.0
    """Within the spec's range."""
    pitch: float = 0.0
    """Semitones."""
    style: str = ""
    seed: int = 0
    """The same line with the same seed is spoken the same, as far as the engine can."""


Spoken = Audio | DubbingError
"""What became of a line: sound, or why there is none."""


class Engine(Protocol):
    """Something that speaks.

    The class is imported by every command that lists engines, so heavy imports stand inside
    ``load``. One engine object is used by one thread at a time.
    """

    spec: EngineSpec
    extra: ClassVar[str]
    """The extra that brings its library, ``""`` when it needs none."""
    libraries: ClassVar[tuple[str, ...]]
    """The modules that ``load`` imports and the extra brings."""
    model: str
    """Hex digest of the loaded model; valid after ``load``."""

    def load(self, device: str) -> None:
        """Load the model onto ``device``; raises EngineMissing or EngineFailed."""

    def unload(self) -> None:
        """Free what ``load`` took."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Derive a voice from a recording; raises SpeechRejected when it cannot serve."""

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, one result a line, in order.

        A raised exception fails the whole call, which is then tried in halves.
        """


@dataclass(frozen=True)
class Catalogue:
    """The engines that are installed, by instance name."""

    points: Mapping[str, EntryPoint] = field(
        default_factory=lambda: {point.name: point for point in entry_points(group=GROUP)}
    )

    def names(self) -> list[str]:
        """Return the instance names, sorted."""
        return sorted(self.points)

    def create(self, name: str) -> Engine:
        """Return an engine that is not loaded yet; raises EngineMissing."""
        if name not in self.points:
            known = ", ".join(self.names())
            raise EngineMissing(f"there is no engine {name!r}; installed are: {known}")
        engine: Engine = self.points[name].load()()
        return engine

    def specs(self) -> dict[str, EngineSpec]:
        """Return the specs of all installed engines."""
        return {name: self.create(name).spec for name in self.names()}


def missing_libraries(engine: Engine) -> list[str]:
    """Return which of the engine's libraries are not installed."""
    return [library for library in engine.libraries if not find_spec(library)]


def require(engine: Engine) -> None:
    """Raise EngineMissing, naming the extra, unless the engine's libraries are installed."""
    if missing_libraries(engine):
        raise EngineMissing(
            f"engine {engine.spec.name!r} needs a library that is not installed: "
            f"pip install 'dubbing[{engine.extra}]'"
        )


class Published(Model):
    """What an engine's workers say of it: ``engines/<instance>.json``."""

    spec: EngineSpec
    model: str


def publish(storage: Storage, engine: Engine) -> None:
    """Store what a loaded engine is, for whoever plans jobs."""
    published = Published(spec=engine.spec, model=engine.model)
    storage.replace(Keys.engine(engine.spec.name), published.model_dump_json().encode())


def published(storage: Storage, name: str) -> Published | None:
    """Return what an engine's workers said of it, or None when none ever ran."""
    try:
        return Published.model_validate_json(storage.get(Keys.engine(name)))
    except NotFound:
        return None


def known_specs(storage: Storage) -> dict[str, EngineSpec]:
    """Return the specs of the engines installed here, and of those whose workers published them."""
    specs = Catalogue().specs()
    for key in storage.keys(Keys.ENGINES):
        try:
            spec = Published.model_validate_json(storage.get(key)).spec
        except ValidationError:
            log.warning("%s was published by another version, and is passed over", key)
        else:
            specs[spec.name] = spec
    return specs
