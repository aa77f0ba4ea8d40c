"""The engines that a process holds in memory: loaded when they are needed, within a budget.

Several engines share a card: when one more would exceed the budget, those go that were used
longest ago.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import cast

from dubbing.catalogue import Catalogue
from dubbing.conversion import Converted
from dubbing.engine import Converter, Engine, EngineSpec, Voicing
from dubbing.errors import BadInput

log = logging.getLogger(__name__)

GPU = Path("/dev/nvidiactl")
"""Is there wherever a process can reach an NVIDIA card, a container's too."""


class Residency:
    """What is in memory, and what has to go for what is needed next. For one thread."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        device: str | None = None,
        budget: float | None = None,
        loaded: Callable[[Voicing], object] = lambda engine: None,
        changed: Callable[[str], object] = lambda loading: None,
    ) -> None:
        """Hold nothing yet.

        device: where models go; left out, where each engine speaks best of what there is.
        budget: GiB that models may take together, by the size of their files.
        loaded: is told of each engine that was loaded.
        changed: is told the engine that is being loaded, or ``""`` when that is over.
        """
        self._catalogue = catalogue
        self._device = device
        self._budget = budget
        self._loaded = loaded
        self._changed = changed
        self._engines: OrderedDict[str, Voicing] = OrderedDict()

    @property
    def names(self) -> tuple[str, ...]:
        """The engines in memory, the one used last at the end."""
        return tuple(self._engines)

    def engine(self, name: str, base: str | None = None) -> Engine:
        """Return a loaded engine, or a converter over a loaded engine.

        base: the engine that a converter is over; left out, the one that its spec names.
        Raises EngineMissing, EngineFailed, and BadInput for a model that cannot be used.
        """
        own = self.voicing(name)
        over = base or own.spec.base
        if over is None:
            return cast(Engine, own)
        return Converted(cast(Converter, own), cast(Engine, self.voicing(over, beside=name)))

    def voicing(self, name: str, *, beside: str = "") -> Voicing:
        """Return what derives voices, loaded now when it is not in memory.

        beside: what may not go for it.
        """
        if name not in self._engines:
            self._load(name, beside)
        self._engines.move_to_end(name)
        return self._engines[name]

    def unload(self, name: str) -> None:
        """Take an engine out of memory, if it is there."""
        if engine := self._engines.pop(name, None):
            engine.unload()
            log.info("%s is unloaded", name)

    def clear(self) -> None:
        """Take every engine out of memory."""
        for name in self.names:
            self.unload(name)

    def _load(self, name: str, beside: str) -> None:
        engine = self._catalogue.create(name)
        self._make_room(name, engine, beside)
        began = time.monotonic()
        self._changed(name)
        try:
            engine.load(device_of(engine.spec, self._device))
            self._engines[name] = engine
        finally:
            self._changed("")
        log.info("%s is loaded, in %.1f s", name, time.monotonic() - began)
        self._loaded(engine)

    def _make_room(self, name: str, engine: Voicing, beside: str) -> None:
        if self._budget is None:
            return
        needed = self._size(name, engine)
        if needed > self._budget:
            raise BadInput(
                f"the model of {name!r} takes {needed:.1f} GiB, and the budget is "
                f"{self._budget:g} GiB: raise DUBBING_MODEL_MEMORY"
            )
        held = {other: self._size(other, of) for other, of in self._engines.items()}
        for other in list(held):
            if sum(held.values()) + needed <= self._budget:
                return
            if other != beside:
                self.unload(other)
                held.pop(other)

    def _size(self, name: str, engine: Voicing) -> float:
        """Return what a model takes, in GiB."""
        weights = engine.weights
        return weights.size(self._catalogue.folders.of(name)) / 2**30 if weights else 0.0


def device_of(spec: EngineSpec, chosen: str | None = None) -> str:
    """Return where a model goes: where it was told to, or where it speaks best of what there is."""
    return chosen or (spec.device if GPU.exists() else "cpu")
