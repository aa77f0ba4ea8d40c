"""The engines that a worker process holds in memory."""

from __future__ import annotations

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

    @property
    def errors(self) -> list[str]:
        """Why engines could not be loaded."""
        return [why for why in self.resting.values() if why]
