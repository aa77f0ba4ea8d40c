"""What a worker process holds in memory."""

from __future__ import annotations

from pydantic import Field

from dubbing.documents import Model


class Holding(Model):
    """What a worker's process has in memory, by its own word."""

    loaded: tuple[str, ...] = ()
    """Engines, the one used last at the end."""
    loading: str = ""
    begun: bool = False
    """Whether the process has loaded what it begins with, and takes work."""
    resting: dict[str, str] = Field(default_factory=dict)
    """Engines for which no work is taken: why one could not be loaded, ``""`` for one that was told
    to rest."""

    @property
    def errors(self) -> list[str]:
        """Why engines could not be loaded."""
        return [why for why in self.resting.values() if why]
