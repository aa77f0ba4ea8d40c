"""The engines that a worker process holds in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from dubbing.documents import Model


class Holding(Model):
    """The engines that a worker process holds, as it reports them."""

    loaded: tuple[str, ...] = ()
    """Engines in memory, the last used one at the end."""
    loading: str = ""
    begun: bool = False
    """Whether the process has loaded its first engines, and takes work."""
    resting: dict[str, str] = Field(default_factory=dict)
    """Engines that take no work, each with why it could not be loaded, or ``""`` if it was told to
    rest."""
    away: dict[str, str] = Field(default_factory=dict)
    """Engines that speak elsewhere and have nobody to speak, each with why; they come back by
    themselves."""
    fault: str = ""
    """Why the process takes no work at all, whatever it has loaded; empty while it takes work."""

    @property
    def errors(self) -> list[str]:
        """Why engines could not be loaded or have nobody to speak, or why no work is taken."""
        return [why for why in (*self.resting.values(), *self.away.values(), self.fault) if why]

    def takes(self, engine: str) -> bool:
        """Whether the process is there for the batches of an engine."""
        idle = self.resting.keys() | self.away.keys()
        return self.begun and not self.fault and engine not in idle

    @classmethod
    def of_all(cls, processes: Iterable[Holding]) -> Holding:
        """Return what a worker holds, by what each of its processes holds.

        An engine rests or is away, and the worker has a fault, only if that is so in all of them.
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
