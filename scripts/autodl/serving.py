"""The endpoints of cards: added once they answer, drained and removed before a card stops."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from autodl.book import Book, Card
from dubbing.engines.remote.pool import Endpoint
from dubbing.engines.remote.registry import Registry
from dubbing.engines.remote.wire import WireError
from dubbing.errors import BadInput, DubbingError, NotFound, Transient

LOOK_SECONDS = 3.0
"""Pause between two checks during a wait."""


class NotInTime(Transient):
    """A card did not start, answer or stop in time."""

    code = "autodl_not_in_time"


class Patience:
    """Waits for one card, up to a deadline."""

    def __init__(self, seconds: float, say: Callable[[str], object]) -> None:
        """Begin now. seconds: until the deadline. say: called with each new reason of the wait."""
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._say = say
        self._why = ""

    def wait(self, why: str) -> None:
        """Wait `LOOK_SECONDS`; raises NotInTime after the deadline. why: the reason of the wait."""
        if time.monotonic() > self._end:
            raise NotInTime(f"after {self._seconds:.0f} s still: {why}")
        if why != self._why:
            self._say(why)
            self._why = why
        time.sleep(LOOK_SECONDS)


class Spot(NamedTuple):
    """The address and the price of a card."""

    place: str
    """Host and port; ``""`` without an address."""
    price: str
    """The price, as `dubbing endpoints add --price` takes it; ``""`` if unknown."""


class Serving:
    """The cards that serve one installation."""

    def __init__(self, registry: Registry, book: Book, say: Callable[[str], object]) -> None:
        """Call nothing yet. say: called with the reason of each wait."""
        self._registry = registry
        self.book = book
        self._say = say

    def enter(self, uuid: str, engine: str, named: Mapping[str, Any]) -> Card:
        """Register a card for an engine, and return it.

        named: fields of `Card`; a known card keeps its other fields. Raises BadInput for a missing
        key, and for a card that serves another engine.
        """
        known = self.book.all().get(uuid)
        if known and known.engine != engine:
            if self._endpoint(known):
                raise BadInput(f"it serves {known.engine}: stop it with `down` first", where=uuid)
            known = None
        card = self._as_used(known or Card(engine=engine)).model_copy(update=dict(named))
        self.require_key(card.key_from)
        return self.book.put(uuid, card)

    def require_key(self, variable: str) -> None:
        """Raise BadInput if a variable is named but holds no key here."""
        if variable and not self._registry.pools.key(variable):
            raise BadInput("it is empty: put the key of the card into it", where=variable)

    def serve(self, uuid: str, spot: Callable[[], Spot], patience: Patience) -> Card:
        """Add a card's endpoint once it answers; return the card.

        spot: returns its current address. Raises NotInTime, and BadInput as `Registry.add` does for
        faults that do not pass with time.
        """
        while True:
            try:
                if (found := spot()).place:
                    return self._move(uuid, self.book.all()[uuid], found)
                why = f"{uuid} has no address yet"
            except BadInput as exc:
                if not isinstance(exc.__cause__, WireError):
                    raise
                why = str(exc)
            patience.wait(why)

    def follow(self, uuid: str, spot: Spot) -> tuple[str, str]:
        """Move the endpoint of a known card to ``spot``, if its address has changed.

        Returns the action and the reason of a failure, each ``""`` if there was none.
        """
        card = self.book.all()[uuid]
        former = self._endpoint(card)
        if former is None or former.draining or card.address(spot.place) == card.url:
            return "", ""
        try:
            self._move(uuid, self._as_used(card), spot)
        except DubbingError as exc:
            return f"its address is no longer {card.url}", str(exc)
        return f"in place of {card.url}", ""

    def faults(self, engines: Iterable[str]) -> dict[str, str]:
        """Check the endpoints of engines; return the fault of each, or ``""``, by address."""
        checks = [one for engine in engines for one in self._registry.check(engine)]
        return {one.endpoint.url: one.error for one in checks}

    def left(self, uuids: Iterable[str]) -> dict[str, Card]:
        """Return the cards of ``uuids`` that still have an endpoint; forget the others.

        uuids: of registered cards that the account no longer has.
        """
        known = self.book.all()
        left = {}
        for uuid in uuids:
            if self._endpoint(known[uuid]):
                left[uuid] = known[uuid]
            else:
                self.book.remove(uuid)
        return left

    def retire(self, uuids: list[str], grace: float) -> None:
        """Drain cards, wait, and remove their endpoints; the cards stay in the book.

        grace: seconds in which they may finish their lines.
        """
        known = self.book.all()
        cards = {uuid: known[uuid] for uuid in uuids if uuid in known}
        serving = {uuid: card for uuid, card in cards.items() if self._endpoint(card)}
        for uuid, card in serving.items():
            self.book.put(uuid, self._as_used(card))
            self._registry.drain(card.engine, card.url)
        if serving:
            self._say(f"the cards get no more lines, and have {grace:g} s to finish theirs")
            time.sleep(grace)
        for card in serving.values():
            # The endpoint may have been removed meanwhile; the card still has to be stopped.
            with suppress(NotFound):
                self._registry.remove(card.engine, card.url)

    def _move(self, uuid: str, card: Card, spot: Spot) -> Card:
        """Add the endpoint of a card at a spot, and remove the one at its former address."""
        url, price = card.address(spot.place), spot.price or card.price
        fields = {
            "url": url,
            "slots": card.slots,
            "key_from": card.key_from,
            "price": price or None,
        }
        others = self._registry.pools.get(card.engine).endpoints
        self._registry.add(card.engine, fields, {} if others else card.declared)
        if url != card.url and self._endpoint(card):
            self._registry.remove(card.engine, card.url)
        return self.book.put(uuid, card.model_copy(update={"url": url, "price": price}))

    def _as_used(self, card: Card) -> Card:
        endpoint = self._endpoint(card)
        return card.like(endpoint, self._registry.pools.get(card.engine)) if endpoint else card

    def _endpoint(self, card: Card) -> Endpoint | None:
        return self._registry.pools.get(card.engine).endpoint(card.url)
