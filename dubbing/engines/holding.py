"""The engines that a worker process holds in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from dubbing.documents import Model


class Holding(Model):
    """The engines that a worker process holds, as it reports them."""

    loaded: tuple[str, ...] = ()
    """Engines in memory, the most recently used last."""
    loading: str = ""
    begun: bool = False
    """Whether the process has loaded its first engines, and takes work."""
    resting: dict[str, str] = Field(default_factory=dict)
    """Engines that take no work, each with the reason why it could not be loaded, or ``""`` if it
    rests by order."""
    away: dict[str, str] = Field(default_factory=dict)
    """Remote engines without a usable endpoint, each with the reason; they recover by
    themselves."""
    fault: str = ""
    """Why the process takes no work at all; empty while it takes work."""

    @property
    def errors(self) -> list[str]:
        """Reasons of engines that could not be loaded or have no endpoint, and the fault."""
        return [why for why in (*self.resting.values(), *self.away.values(), self.fault) if why]

    def takes(self, engine: str) -> bool:
        """Whether the process takes the batches of an engine."""
        idle = self.resting.keys() | self.away.keys()
        return self.begun and not self.fault and engine not in idle

    @classmethod
    def of_all(cls, processes: Iterable[Holding]) -> Holding:
        """Combine the holdings of a worker's processes.

        An engine rests or is away only if it does so in all processes; likewise the fault.
        """
        all_ = list(processes)
        return cls(
            loaded=tuple(dict.fromkeys(name for process in all_ for name in process.loaded)),
            loading=next((process.loading for process in all_ if process.loading), ""),
            begun=any(process.begun for process in all_),
            resting=_in_all([process.resting for process in all_]),
            away=_in_all([process.away for process in all_]),
            fault=all_[0].fault if all_ and all(process.fault for process in all_) else "",
        )


def _in_all(reasons: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the engines that all processes name, each with the first reason."""
    return {
        engine: next((of[engine] for of in reasons if of[engine]), "")
        for engine in (reasons[0] if reasons else {})
        if all(engine in of for of in reasons)
    }
