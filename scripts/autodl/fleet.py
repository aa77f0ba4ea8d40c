"""Starting, stopping and listing the instances of an account."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from autodl.api import AutoDL, Instance, Snapshot
from autodl.book import Card
from autodl.serving import Patience, Serving, Spot

STOP_SECONDS = 300.0
"""Longest time for an instance to stop."""


class Standing(NamedTuple):
    """The status of one card."""

    uuid: str
    name: str
    status: str
    engine: str
    """``""`` for an instance that no `up` has started here."""
    url: str
    price: str
    """``""`` while it is off."""
    note: str
    """The action that was taken, or that the user should take."""
    fault: str
    """Why its endpoint cannot be used; ``""`` when it can."""
    released_at: datetime | None
    """Time at which it is released with its data disk, unless started before; None while on."""

    @property
    def serves(self) -> bool:
        """Whether it is on, and was started here."""
        return bool(self.engine and self.url)

    def checked(self, faults: Mapping[str, str]) -> Standing:
        """Return it with its endpoint's fault. faults: by the address of the endpoint."""
        if not self.serves or self.fault:
            return self
        if self.url not in faults:
            return self._replace(note=f"no endpoint of {self.engine}: `up` adds it")
        return self._replace(fault=faults[self.url])


class Fleet:
    """The instances of one account, which serve one installation."""

    def __init__(self, api: AutoDL, serving: Serving, say: Callable[[str], object]) -> None:
        """Call nothing yet. say: called with the reason of each wait."""
        self._api = api
        self._serving = serving
        self._say = say

    def create(self, order: Mapping[str, Any], tries: int) -> str:
        """Create an instance as soon as there is a free card; return its uuid.

        order: the fields of the request. Raises Busy after ``tries`` requests.
        """
        name = f"dubbing-{secrets.token_hex(4)}"

        def once() -> str:
            # A failed request may have created an instance, and a second one would double the cost.
            made = (one.uuid for one in self._api.instances() if one.name == name)
            return next(made, "") or self._api.create({**order, "instance_name": name})

        return self._api.patiently(once, tries, self._note)

    def enter(self, uuid: str, engine: str, named: Mapping[str, Any]) -> None:
        """Register an instance for an engine; raises NotFound and as `Serving.enter`."""
        self._api.status(uuid)
        self._serving.enter(uuid, engine, named)

    def up(self, uuid: str, seconds: float, tries: int) -> Card:
        """Start a registered instance, unless it is on; add its endpoint once it answers.

        seconds: longest wait for an answer after the start. Raises as `Serving.serve` does, and
        Busy after ``tries`` requests for a card.
        """
        status = self._api.status(uuid)
        if status == "shutting_down":
            status = self._reached(uuid, "shutdown", Patience(STOP_SECONDS, self._say))
        if status == "shutdown":
            self._api.patiently(lambda: self._api.power_on(uuid), tries, self._note)
        patience = Patience(seconds, self._say)
        self._reached(uuid, "running", patience)
        return self._serving.serve(uuid, lambda: _spot(self._api.snapshot(uuid)), patience)

    def down(self, uuid: str, grace: float) -> datetime | None:
        """Drain a card, remove its endpoint, and stop it; return its release date.

        grace: seconds in which it may finish its lines.
        """
        status = self._api.status(uuid)
        self._serving.retire([uuid], grace)
        if status not in {"shutdown", "shutting_down"}:
            self._api.power_off(uuid)
        self._reached(uuid, "shutdown", Patience(STOP_SECONDS, self._say))
        return next((one.released_at for one in self._api.instances() if one.uuid == uuid), None)

    def status(self) -> list[Standing]:
        """Return the status of all cards; replace endpoints whose address has changed."""
        cards, instances = self._serving.book.all(), self._api.instances()
        standings = [self._standing(one, cards.get(one.uuid)) for one in instances]
        faults = self._serving.faults({one.engine for one in standings if one.serves})
        single = {uuid for uuid, card in cards.items() if not card.deployment}
        gone = self._serving.left(sorted(single - {one.uuid for one in instances}))
        return [
            *(one.checked(faults) for one in standings),
            *(_gone(uuid, card) for uuid, card in gone.items()),
        ]

    def _standing(self, instance: Instance, card: Card | None) -> Standing:
        running = instance.status == "running"
        spot = _spot(self._api.snapshot(instance.uuid)) if running else Spot("", "")
        note, fault = self._serving.follow(instance.uuid, spot) if card and spot.place else ("", "")
        return Standing(
            uuid=instance.uuid,
            name=instance.name,
            status=instance.status,
            engine=card.engine if card else "",
            url=(card or Card(engine="")).address(spot.place) if spot.place else "",
            price=spot.price,
            note=note,
            fault=fault,
            released_at=instance.released_at,
        )

    def _reached(self, uuid: str, wanted: str, patience: Patience) -> str:
        while (status := self._api.status(uuid)) != wanted:
            patience.wait(f"{uuid} is {status}")
        return status

    def _note(self, exc: Exception) -> None:
        self._say(str(exc))


def _spot(snapshot: Snapshot) -> Spot:
    return Spot(snapshot.service_6006_domain, snapshot.price)


def _gone(uuid: str, card: Card) -> Standing:
    """Return the status of a card that the account lacks: it may belong to another account."""
    note = f"`dubbing endpoints remove {card.engine} {card.url}`, if it was released"
    return Standing(uuid, "", "not in this account", card.engine, card.url, "", note, "", None)
