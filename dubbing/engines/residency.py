"""The engines that a process holds in memory: loaded when they are needed, within a budget.

Several engines share a card: when one more would exceed the budget, those go that were used
longest ago. One that was told to rest, or could not be loaded, is not loaded for a batch: that
goes to another worker.
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
from dubbing.errors import BadInput, DubbingError, EngineAway, EngineFailed
from dubbing.ledger import Holding

log = logging.getLogger(__name__)

GPU = Path("/dev/nvidiactl")
"""Is there wherever a process can reach an NVIDIA card, a container's too."""
STDERR = 2
"""The descriptor: what stands for it in Python need not have one."""


class Residency:
    """What is in memory, and what has to go for what is needed next. For one thread."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        device: str | None = None,
        budget: float | None = None,
        resting: Mapping[str, str] | None = None,
        loaded: Callable[[Voicing], object] = lambda engine: None,
        changed: Callable[[Holding], object] = lambda holding: None,
    ) -> None:
        """Hold nothing yet.

        device: where models go; left out, where each engine speaks best of what there is.
        budget: GiB that models may take together, by the size of their files.
        resting: engines that are not loaded before they are told to, and why, as in `Holding`.
        loaded: is told of each engine that was loaded.
        changed: is told what is in memory whenever that changes.
        """
        self._catalogue = catalogue
        self._device = device
        self._budget = budget
        self._loaded = loaded
        self._changed = changed
        self._engines: OrderedDict[str, Voicing] = OrderedDict()
        self._resting = dict(resting or {})
        self._begun = False

    @property
    def holding(self) -> Holding:
        """What is in memory, and what rests."""
        return Holding(loaded=tuple(self._engines), begun=self._begun, resting=dict(self._resting))

    def begin(self, names: Iterable[str]) -> None:
        """Load those of ``names`` that do not rest, the first one, and others while they fit.

        One that cannot be loaded rests. Raises what loading the first one raised when none of them
        could be loaded; the process has not begun then.
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

        base: the engine that a converter is over; left out, the one that its spec names.
        Raises EngineAway for one that rests, or cannot be loaded, and what loading a base raises.
        """
        own = self.voicing(name)
        over = base or own.spec.base
        if over is None:
            return cast(Engine, own)
        return Converted(cast(Converter, own), cast(Engine, self.voicing(over, beside=name)))

    def voicing(self, name: str, *, beside: str = "") -> Voicing:
        """Return what derives voices, loaded now when it is not in memory.

        beside: the converter for which it is loaded, which may not go for it.
        Raises EngineAway for one that rests, or cannot be loaded. What loading a base raises is for
        its lines to tell: the converter is at work, over other bases too.
        """
        # A base may rest as an engine of its own, and serve the converter all the same.
        if name in self._resting and not beside:
            why = self._resting[name] or "it rests"
            raise EngineAway(f"this worker takes nothing for {name!r}: {why}")
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
        """Load an engine, which is at work from now on; raises what loading it raises."""
        if name not in self._engines:
            try:
                self._load(name)
            except DubbingError as exc:
                self._give_up(name, exc)
                raise
        self._resting.pop(name, None)
        self._changed(self.holding)

    def rest(self, name: str, why: str = "") -> None:
        """Take an engine out of memory, and take nothing for it until it is woken.

        why: it could not be loaded; left out, it was told to.
        """
        self._resting[name] = why
        self._unload(name)
        self._changed(self.holding)

    def _give_up(self, name: str, exc: DubbingError) -> str:
        """Rest an engine that could not be loaded; return why in words."""
        self.rest(name, f"{name} cannot be loaded: {exc}")
        return self._resting[name]

    def fits(self, name: str) -> bool:
        """Whether an engine can be loaded, and none has to go for it."""
        needed = self._size(self._catalogue.create(name))
        return self._budget is None or sum(self._sizes().values()) + needed <= self._budget

    def _load(self, name: str, beside: str = "") -> None:
        engine = self._catalogue.create(name)
        self._catalogue.permit([engine.spec])
        self._make_room(engine, beside)
        # A base that kills its process would do so again for its converter.
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
            # Who asked for the engine itself puts its name before that.
            what = f"{name} cannot be loaded: " if beside else ""
            raise EngineFailed(f"{what}{type(exc).__name__}: {exc}") from exc
        self._engines[name] = engine
        log.info("%s is loaded, in %.1f s", name, time.monotonic() - began)
        self._changed(self.holding)
        self._loaded(engine)

    def _unload(self, name: str) -> None:
        if engine := self._engines.pop(name, None):
            engine.unload()
            log.info("%s is unloaded", name)

    def _make_room(self, engine: Voicing, beside: str) -> None:
        """Unload what was used longest ago, until there is room for one more."""
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
        """Return what a model takes, in GiB."""
        folder = self._catalogue.folders.of(engine.spec.name)
        return engine.weights.size(folder) / 2**30 if engine.weights else 0.0


@contextmanager
def _ended_if_it_hangs(seconds: float) -> Iterator[None]:
    """End this process when the block takes longer; where it stands then goes to standard error.

    A thread of Python's could not: what hangs in a library may never let one run.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def device_of(spec: EngineSpec, chosen: str | None = None) -> str:
    """Return where a model goes: where it was told to, or where it speaks best of what there is."""
    return chosen or (spec.device if GPU.exists() else "cpu")
