"""The engines that a worker process holds in memory."""

from __future__ import annotations

from collections.abc import Iterable

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
    fault: str = ""
    """Why the process takes no work at all, whatever it has loaded; empty while it takes work."""

    @property
    def errors(self) -> list[str]:
        """Why engines could not be loaded, or why no work is taken."""
        return [why for why in (*self.resting.values(), self.fault) if why]

    def takes(self, engine: str) -> bool:
        """Whether the process is there for the batches of an engine."""
        return self.begun and not self.fault and engine not in self.resting

    @classmethod
    def of_all(cls, processes: Iterable[Holding]) -> Holding:
        """Return what a worker holds, by what each of its processes holds.

        An engine rests, and the worker has a fault, only if that is so in all of them.
        """
        all_ = list(processes)
        rest = [process.resting for process in all_]
        resting = {
            engine: next((of[engine] for of in rest if of[engine]), "")
            for engine in (rest[0] if rest else {})
            if all(engine in of for of in rest)
        }
        return cls(
            loaded=tuple(dict.fromkeys(name for process in all_ for name in process.loaded)),
            loading=next((process.loading for process in all_ if process.loading), ""),
            begun=any(process.begun for process in all_),
            resting=resting,
            fault=all_[0].fault if all_ and all(process.fault for process in all_) else "",
        )
