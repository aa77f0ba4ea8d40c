"""The engines that are installed here, and their instances.

All engines, including the built-in ones, are found by the entry point group ``dubbing.engines``. An
engine that needs a model can have several instances, each with its own queue: ``vits-de`` and
``vits-fr`` are instances of ``vits``, with their models in folders of these names. Each instance of
a remote engine has a pool of endpoints in storage.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from dubbing.documents import listed
from dubbing.engines.engine import EngineSpec, Voicing
from dubbing.engines.models.folders import NOWHERE, ModelFolders
from dubbing.engines.remote.engine import RemoteEngine
from dubbing.engines.remote.pool import Pools
from dubbing.errors import BadInput, DubbingError, EngineMissing
from dubbing.job import Request
from dubbing.text.sounds import voiced

GROUP = "dubbing.engines"

log = logging.getLogger(__name__)


@cache
def _points(path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    """Return the engines' entry points on ``sys.path``, by name; cached, because it is slow."""
    return {point.name: point for point in entry_points(group=GROUP)}


@dataclass(frozen=True)
class Catalogue:
    """The installed engines, and their instances that have a model folder or endpoints."""

    folders: ModelFolders = field(default_factory=ModelFolders)
    points: Mapping[str, EntryPoint] = field(default_factory=lambda: _points(tuple(sys.path)))
    refused: tuple[str, ...] = ()
    """Patterns of refused licences, such as ``*non-commercial*``, compared without case."""
    pools: Pools | None = None
    """The endpoints of remote engines."""

    def names(self) -> list[str]:
        """Return the names of all engines and instances, sorted."""
        pools = self.pools.names() if self.pools else []
        return sorted(self._local() | {name for name in pools if self.kind(name)})

    def _local(self) -> set[str]:
        """Return the names of all engines, and of instances that have a model folder."""
        return {name for name in self.folders.names() if self.kind(name)} | self.points.keys()

    def kind(self, name: str) -> str | None:
        """Return the engine that ``name`` is an instance of, or None."""
        kinds = [kind for kind in self.points if name == kind or name.startswith(f"{kind}-")]
        return max(kinds, key=len, default=None)

    def create(self, name: str) -> Voicing:
        """Create an engine or converter, not loaded yet.

        Raises EngineMissing, and BadInput when its model's configuration cannot be used.
        """
        # names() reads the pools from storage, which local engines do not need.
        if name not in self._local() and name not in self.names():
            known = ", ".join(self.names())
            raise EngineMissing(f"there is no engine {name!r}; installed are: {known}")
        return self._made(name, self.folders.of(name), self.pools)

    def generic(self, name: str) -> Voicing:
        """Create an engine, or an instance of one, without a model or endpoints.

        Raises EngineMissing when ``name`` belongs to no engine, and BadInput when it is invalid.
        """
        if self.kind(name) is None:
            known = ", ".join(sorted(self.points))
            raise EngineMissing(f"{name!r} is not an engine's instance; installed are: {known}")
        self.folders.of(name)
        return self._made(name, NOWHERE, None)

    def _made(self, name: str, folder: Path, pools: Pools | None) -> Voicing:
        try:
            engine = self.points[self.kind(name) or name].load()
            made: Voicing
            if issubclass(engine, RemoteEngine):
                made = engine(name, folder, pools)
            else:
                made = engine(name, folder)
        except DubbingError:
            raise
        except ImportError as exc:
            raise EngineMissing(f"engine {name!r} cannot be imported: {exc}") from exc
        except Exception as exc:
            # A configuration may contain anything, and a bad one should affect only its engine.
            raise BadInput(
                f"the model's configuration cannot be used: {type(exc).__name__}: {exc}",
                where=str(folder),
            ) from exc
        return made

    def specs(self) -> dict[str, EngineSpec]:
        """Return the specs of all engines here, except those whose model cannot be used."""
        specs = {}
        for name in self.names():
            try:
                specs[name] = self.create(name).spec
            except DubbingError as exc:
                log.warning("engine %s is skipped: %s", name, exc)
        return specs

    def refuses(self, spec: EngineSpec) -> bool:
        """Whether an engine's licence matches a refused pattern."""
        licence = spec.licence.casefold()
        return any(fnmatchcase(licence, pattern.casefold()) for pattern in self.refused)

    def permit(self, specs: Iterable[EngineSpec]) -> None:
        """Raise BadInput, naming the engines, if any of their licences is refused here."""
        faults = [
            f"engine {spec.name!r} is not used here, as its licence is refused: {spec.licence}; "
            "name another engine, or change DUBBING_REFUSE_LICENCES"
            for spec in specs
            if self.refuses(spec)
        ]
        if faults:
            raise BadInput(listed(faults))


def specs_in(job: Request, specs: Mapping[str, EngineSpec]) -> list[EngineSpec]:
    """Return the known specs of the engines of a request's speakers, with fallbacks and bases."""
    speakers = voiced(job).speakers
    asked = {(name, job.base_of(who, name)) for who in speakers for name in job.engines_of(who)}
    known = [spec for engine, base in asked for spec in with_base(engine, specs, base)]
    by_name = {spec.name: spec for spec in known}
    return [by_name[name] for name in sorted(by_name)]


def with_base(
    engine: str, specs: Mapping[str, EngineSpec], base: str | None = None
) -> list[EngineSpec]:
    """Return the known specs of an engine and of the base below it.

    base: by default, the base that the engine's own spec names.
    """
    own = specs.get(engine)
    below = specs.get(base or (own and own.base) or "")
    return [spec for spec in (own, below) if spec]
