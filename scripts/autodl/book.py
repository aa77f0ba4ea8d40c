"""The book of cards: the engine of each card, and the options of its endpoint.

The pool holds an endpoint only while its card serves. The book keeps the endpoint's options while
the card is off, and when its address changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from dubbing.documents import Model, stored
from dubbing.engines.remote.pool import Endpoint, Pool


class Card(Model):
    """A card that serves an engine."""

    engine: str
    """The engine's name at home."""
    path: str = ""
    """The path of the endpoint's address, such as ``/v1``."""
    slots: int = 1
    key_from: str = ""
    """The variable that holds its API key at home."""
    price: str = ""
    """The price, as `dubbing endpoints add --price` takes it."""
    url: str = ""
    """The last address of its endpoint."""
    declared: dict[str, Any] = Field(default={})
    """The declared fields of its pool, because a pool is removed with its last endpoint."""
    deployment: str = ""
    """The elastic deployment of the container."""

    def address(self, place: str) -> str:
        """Return the URL of its endpoint. place: ``host:port``, with or without a scheme."""
        root = place if "://" in place else f"https://{place}"
        return f"{root.rstrip('/')}/{self.path.strip('/')}".rstrip("/")

    def like(self, endpoint: Endpoint, pool: Pool) -> Card:
        """Return the card with the changes that `dubbing endpoints` may have made."""
        declared = pool.model_dump(mode="json", exclude={"endpoints", "format", "dialect", "spec"})
        update = {"slots": endpoint.slots, "key_from": endpoint.key_from, "declared": declared}
        return self.model_copy(update={**update, "price": str(endpoint.price or "")})


class _Cards(Model):
    cards: dict[str, Card] = Field(default={})


class Book:
    """The cards of an installation by the uuid of their instance or container, in a file."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self._path = path

    def all(self) -> dict[str, Card]:
        """Return the cards; raises Damaged for a file that is no book."""
        try:
            return stored(_Cards, self._path.read_bytes(), str(self._path)).cards
        except FileNotFoundError:
            return {}

    def put(self, uuid: str, card: Card) -> Card:
        """Add or replace the card of a uuid, and return it."""
        self._write({**self.all(), uuid: card})
        return card

    def remove(self, uuid: str) -> None:
        """Forget a card."""
        self._write({name: card for name, card in self.all().items() if name != uuid})

    def _write(self, cards: dict[str, Card]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(_Cards(cards=cards).model_dump_json(indent=2))
        new.replace(self._path)
