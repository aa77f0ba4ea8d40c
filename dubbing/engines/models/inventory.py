"""The state of engines on this machine: the requirements of each, and what is missing."""

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
from dubbing.engines.remote.engine import RemoteEngine
from dubbing.errors import BadInput, DubbingError, EngineFailed, EngineMissing


class State(StrEnum):
    """The state of an engine: the first of these states that applies."""

    REFUSED = "refused"
    """The settings refuse its licence."""
    DAMAGED = "damaged"
    """Its model cannot be used."""
    NO_MODEL = "no_model"
    """Files of its model are missing."""
    NO_ENDPOINT = "no_endpoint"
    """It is a remote engine without an endpoint."""
    NO_LIBRARY = "no_library"
    """Its extra is not installed."""
    READY = "ready"
    """All requirements are met; `check_model` shows whether it loads."""


WORDS = {
    State.REFUSED: "refused",
    State.DAMAGED: "damaged",
    State.NO_MODEL: "needs a model",
    State.NO_ENDPOINT: "needs an endpoint",
    State.READY: "ready",
}


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """The requirements of an engine or instance on this machine, and its problems."""

    spec: EngineSpec
    """Includes the settings of its model if the model is usable."""
    weights: Weights | None
    """The files that its model's folder must hold; None when it needs no model."""
    folder: Path
    extra: str
    missing_libraries: tuple[str, ...]
    size: int
    """Size of its model in bytes."""
    problems: dict[State, str]
    """Messages with the remedy, by the state that they cause."""

    @property
    def state(self) -> State:
        """The first state that applies."""
        return next((state for state in State if state in self.problems), State.READY)

    @property
    def words(self) -> str:
        """The state in a few words, for people."""
        return WORDS.get(self.state, f"needs dubbing[{self.extra}]")

    @property
    def has_model(self) -> bool:
        """Whether it has a model that it is permitted to load, even if loading may fail."""
        return self.weights is not None and not {State.REFUSED, State.NO_MODEL} & set(self.problems)


@dataclass(frozen=True, kw_only=True)
class ModelCheck:
    """The result of loading an engine."""

    name: str
    seconds: float
    model: str = ""
    """Hex digest of the loaded model."""
    error: str = ""
    """Why it cannot be loaded."""


def inspect(catalogue: Catalogue, name: str) -> Readiness:
    """Return an engine's readiness, without loading it; raises EngineMissing for an unknown one."""
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
    if isinstance(engine, RemoteEngine):
        with _noted(problems, State.NO_ENDPOINT):
            engine.require_endpoints()
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


def check_model(folders: ModelFolders, name: str, device: str) -> ModelCheck:
    """Load an engine in a separate process, whose end frees the memory, and report the result.

    If the system kills that process, this one goes on.
    """
    began = time.monotonic()
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(_load, folders, name, device).result()
    except BrokenProcessPool:
        error = "the process that loaded it was killed: is there enough memory for it?"
    except Exception as exc:  # noqa: BLE001  whatever a damaged model raises is the result
        error = f"{type(exc).__name__}: {exc}"
    return ModelCheck(name=name, seconds=time.monotonic() - began, error=error)


def _load(folders: ModelFolders, name: str, device: str) -> ModelCheck:
    # Libraries write to standard output, which is reserved for the command's result.
    os.dup2(2, 1)
    began = time.monotonic()
    try:
        engine = Catalogue(folders).create(name)
        engine.load(device)
    except (BadInput, EngineFailed, EngineMissing) as exc:
        return ModelCheck(name=name, seconds=time.monotonic() - began, error=str(exc))
    return ModelCheck(name=name, seconds=time.monotonic() - began, model=engine.model)
