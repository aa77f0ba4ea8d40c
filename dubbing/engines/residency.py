"""The engines that a process holds in memory: loaded on demand, within a budget.

Several engines share a card: when another one would exceed the budget, the least recently used
engines are unloaded. An engine that rests by order, or that could not be loaded, is not loaded for
a batch; the batch goes to another worker.
"""

from __future__ import annotations

import faulthandler
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.conversion import Converted
from dubbing.engines.engine import Converter, Engine, EngineSpec, Voicing
from dubbing.engines.holding import Holding
from dubbing.engines.remote.engine import RemoteEngine
from dubbing.engines.remote.shares import Shares
from dubbing.errors import BadInput, DubbingError, EngineAway, EngineFailed

log = logging.getLogger(__name__)

GPU = Path("/dev/nvidiactl")
"""A file that exists where a process can use an NVIDIA card, in containers too."""
STDERR = 2
"""File descriptor of standard error; the object ``sys.stderr`` need not have one."""


class Residency:
    """Loads engines on demand, and unloads others to make room.

    For use by one thread, except for `held` and `held_alone`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        device: str | None = None,
        budget: float | None = None,
        resting: Mapping[str, str] | None = None,
        shares: Shares | None = None,
        loaded: Callable[[Voicing], object] = lambda engine: None,
        changed: Callable[[Holding], object] = lambda holding: None,
    ) -> None:
        """Hold nothing yet.

        device: device of all models; by default, the best one here for each engine.
        budget: GiB that all models together may take, by the size of their files.
        resting: engines that are not loaded until they are woken, with reasons as in `Holding`.
        shares: shares the slots of endpoints with other processes; by default, all slots are this
        process's.
        loaded: called with each engine that was loaded.
        changed: called with the holding whenever it changes.
        """
        self._catalogue = catalogue
        self._device = device
        self._budget = budget
        self._shares = shares
        self._loaded = loaded
        self._changed = changed
        self._engines: OrderedDict[str, Voicing] = OrderedDict()
        self._resting = dict(resting or {})
        self._begun = False
        self.before_unloading: Callable[[], object] = lambda: None
        """Called before an engine is unloaded; it waits until no other thread speaks with it."""

    @property
    def holding(self) -> Holding:
        """The engines that are in memory, resting or away."""
        engines = list(self._engines.items())
        away = {
            name: engine.trouble
            for name, engine in engines
            if isinstance(engine, RemoteEngine) and engine.trouble
        }
        return Holding(
            loaded=tuple(name for name, _ in engines),
            begun=self._begun,
            resting=dict(self._resting),
            away=away,
        )

    def begin(self, names: Iterable[str]) -> None:
        """Load the first of ``names`` that does not rest, and further engines while they fit.

        An engine that cannot be loaded rests. Raises the first error if none could be loaded.
        """
        failed: list[DubbingError] = []
        for name in names:
            if name not in self._resting and (not self._engines or self.fits(name)):
                try:
                    self.wake(name)
                except DubbingError as exc:
                    failed.append(exc)
        if failed and not self._engines:
            raise failed[0]
        self._begun = True
        self._changed(self.holding)

    def engine(self, name: str, base: str | None = None) -> Engine:
        """Return a loaded engine, or a converter over a loaded engine.

        base: the engine below a converter; by default, the base in its spec. Raises EngineAway for
        an engine that rests or cannot be loaded, and the load error of a base.
        """
        engine = self.voicing(name)
        below = base or engine.spec.base
        if below is None:
            return cast(Engine, engine)
        return Converted(cast(Converter, engine), cast(Engine, self.voicing(below, beside=name)))

    def held(self, name: str, base: str | None = None) -> Engine | None:
        """Return an engine, or a converter over its base, if in memory. Any thread may call this.

        Use only its spec and model digest, because another thread may be speaking with it.
        """
        engine = self.held_alone(name)
        below = base or (engine.spec.base if engine else None)
        if engine is None or below is None:
            return cast(Engine | None, engine)
        under = self.held_alone(below)
        return Converted(cast(Converter, engine), cast(Engine, under)) if under else None

    def held_alone(self, name: str) -> Voicing | None:
        """Return an engine, or a converter without its base, as `held` does."""
        return self._engines.get(name)

    def voicing(self, name: str, *, beside: str = "") -> Voicing:
        """Return an engine or converter, loading it if it is not in memory.

        beside: the converter for which a base is loaded; it is not unloaded to make room.
        Raises EngineAway for an engine that rests or cannot be loaded. The load error of a base is
        raised unchanged and becomes the error of the lines, so that the converter keeps working
        over other bases.
        """
        # An engine that rests can still be the base of a converter.
        if name in self._resting and not beside:
            why = self._resting[name] or "it rests"
            raise EngineAway(f"this worker takes no work for {name!r}: {why}")
        if name not in self._engines:
            try:
                self._load(name, beside)
            except DubbingError as exc:
                if beside:
                    raise
                raise EngineAway(self._give_up(name, exc)) from exc
        self._engines.move_to_end(name)
        return self._engines[name]

    def wake(self, name: str) -> None:
        """Load an engine and end its rest; raises the error of one that cannot be loaded."""
        if name not in self._engines:
            try:
                self._load(name)
            except DubbingError as exc:
                self._give_up(name, exc)
                raise
        self._resting.pop(name, None)
        self._changed(self.holding)

    def rest(self, name: str, why: str = "") -> None:
        """Unload an engine, and take no work for it until it is woken.

        why: why it could not be loaded; ``""`` for an order to rest.
        """
        self._resting[name] = why
        self._unload(name)
        self._changed(self.holding)

    def close(self) -> None:
        """Unload all engines, as the process ends."""
        for name in list(self._engines):
            self._unload(name)

    def _give_up(self, name: str, exc: DubbingError) -> str:
        """Rest an engine that could not be loaded; return the reason."""
        self.rest(name, f"{name} cannot be loaded: {exc}")
        return self._resting[name]

    def fits(self, name: str) -> bool:
        """Whether an engine can be loaded without unloading another."""
        needed = self._size(self._catalogue.create(name))
        return self._budget is None or sum(self._sizes().values()) + needed <= self._budget

    def _load(self, name: str, beside: str = "") -> None:
        engine = self._catalogue.create(name)
        if isinstance(engine, RemoteEngine):
            engine.shares = self._shares
        self._catalogue.permit([engine.spec])
        self._make_room(engine, beside)
        # Names the converter: if loading the base kills the process, the converter has to rest.
        self._changed(self.holding.model_copy(update={"loading": beside or name}))
        began = time.monotonic()
        try:
            with _ended_if_it_hangs(engine.spec.seconds_to_load):
                engine.load(device_of(engine.spec, self._device))
        except DubbingError:
            self._changed(self.holding)
            raise
        except Exception as exc:
            self._changed(self.holding)
            # For an engine itself, the caller adds the name.
            what = f"{name} cannot be loaded: " if beside else ""
            raise EngineFailed(f"{what}{type(exc).__name__}: {exc}") from exc
        self._engines[name] = engine
        if isinstance(engine, RemoteEngine):
            engine.watch(lambda: self._changed(self.holding))
        log.info("%s was loaded in %.1f s", name, time.monotonic() - began)
        self._changed(self.holding)
        self._loaded(engine)

    def _unload(self, name: str) -> None:
        if engine := self._engines.pop(name, None):
            self.before_unloading()
            engine.unload()
            log.info("%s was unloaded", name)

    def _make_room(self, engine: Voicing, beside: str) -> None:
        """Unload the least recently used engines until there is room for one more."""
        if self._budget is None:
            return
        needed, held = self._size(engine), self._sizes()
        if needed + held.get(beside, 0.0) > self._budget:
            raise BadInput(
                f"the model of {engine.spec.name!r} takes {needed:.1f} GiB, more than is left of "
                f"{self._budget:g} GiB: raise DUBBING_MODEL_MEMORY"
            )
        for name in [name for name in held if name != beside]:
            if sum(held.values()) + needed <= self._budget:
                return
            held.pop(name)
            self._unload(name)

    def _sizes(self) -> dict[str, float]:
        return {name: self._size(engine) for name, engine in self._engines.items()}

    def _size(self, engine: Voicing) -> float:
        """Return the size of a model, in GiB."""
        folder = self._catalogue.folders.of(engine.spec.name)
        return engine.weights.size(folder) / 2**30 if engine.weights else 0.0


@contextmanager
def _ended_if_it_hangs(seconds: float) -> Iterator[None]:
    """End this process if the block takes longer, with a traceback on standard error.

    A Python thread could not do this, because a hanging library may hold the GIL.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def device_of(spec: EngineSpec, chosen: str | None = None) -> str:
    """Return the device for a model: the chosen one, or the best one here for its engine."""
    if spec.device == "remote":
        return spec.device
    return chosen or (spec.device if GPU.exists() else "cpu")
