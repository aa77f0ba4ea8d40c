"""How the engines stand on this machine: what each needs to speak, and whether it is there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing import get_context
from pathlib import Path

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import EngineSpec, missing_libraries, require
from dubbing.engines.models.folders import ModelFolders, Weights, require_files
from dubbing.errors import BadInput, DubbingError, EngineFailed, EngineMissing


class State(StrEnum):
    """How an engine stands. The first that holds is said of it."""

    REFUSED = "refused"
    """Its licence is one that the settings refuse."""
    DAMAGED = "damaged"
    """There is a model, and it cannot be used as it is."""
    NO_MODEL = "no_model"
    """Files of its model are not there."""
    NO_LIBRARY = "no_library"
    """Its extra is not installed."""
    READY = "ready"
    """All that it needs is there; whether it loads, `check_model` tells."""


WORDS = {
    State.REFUSED: "refused",
    State.DAMAGED: "damaged",
    State.NO_MODEL: "needs a model",
    State.READY: "ready",
}


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """What there is of what an engine, or an instance of one, needs to speak here."""

    spec: EngineSpec
    """Of its model, where there is one that can be used; else of its kind."""
    weights: Weights | None
    """What its model's folder has to hold; None when it needs no model."""
    folder: Path
    extra: str
    missing_libraries: tuple[str, ...]
    size: int
    """Bytes of its model."""
    problems: dict[State, str]
    """What keeps it from speaking, each with what to do."""

    @property
    def state(self) -> State:
        """How it stands."""
        return next((state for state in State if state in self.problems), State.READY)

    @property
    def words(self) -> str:
        """The state as people are told it, in few words."""
        return WORDS.get(self.state, f"needs dubbing[{self.extra}]")

    @property
    def has_model(self) -> bool:
        """Whether there is a model that may be loaded, whether it can be or not."""
        return self.weights is not None and not {State.REFUSED, State.NO_MODEL} & set(self.problems)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What came of loading an engine."""

    name: str
    seconds: float
    model: str = ""
    """Hex digest of the model that was loaded."""
    error: str = ""
    """Why it cannot be loaded."""


def inspect(catalogue: Catalogue, name: str) -> Readiness:
    """Return how an engine stands, without loading it; raises EngineMissing for an unknown one."""
    problems: dict[State, str] = {}
    engine = catalogue.generic(name)
    folder = catalogue.folders.of(name)
    with _noted(problems, State.DAMAGED):
        if name in catalogue.names():
            engine = catalogue.create(name)
    with _noted(problems, State.REFUSED):
        catalogue.permit([engine.spec])
    with _noted(problems, State.NO_LIBRARY):
        require(engine)
    size = 0
    if engine.weights:
        with _noted(problems, State.DAMAGED), _noted(problems, State.NO_MODEL, EngineMissing):
            require_files(engine.weights, folder, name)
            size = engine.weights.size(folder)
    return Readiness(
        spec=engine.spec,
        weights=engine.weights,
        folder=folder,
        extra=engine.extra,
        missing_libraries=tuple(missing_libraries(engine)),
        size=size,
        problems=problems,
    )


@contextmanager
def _noted(
    problems: dict[State, str], state: State, kind: type[DubbingError] = DubbingError
) -> Iterator[None]:
    try:
        yield
    except kind as exc:
        problems[state] = str(exc)


def check_model(folders: ModelFolders, name: str, device: str) -> Checked:
    """Load an engine in a process of its own, which leaves nothing in memory and may die of it."""
    began = time.monotonic()
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(_load, folders, name, device).result()
    except BrokenProcessPool:
        error = "the process that loaded it was killed: is there memory enough for it?"
    except Exception as exc:  # noqa: BLE001  what a library makes of a damaged model is the answer
        error = f"{type(exc).__name__}: {exc}"
    return Checked(name=name, seconds=time.monotonic() - began, error=error)


def _load(folders: ModelFolders, name: str, device: str) -> Checked:
    # Libraries write to standard output, which is for what was asked.
    os.dup2(2, 1)
    began = time.monotonic()
    try:
        engine = Catalogue(folders).create(name)
        engine.load(device)
    except (BadInput, EngineFailed, EngineMissing) as exc:
        return Checked(name=name, seconds=time.monotonic() - began, error=str(exc))
    return Checked(name=name, seconds=time.monotonic() - began, model=engine.model)
