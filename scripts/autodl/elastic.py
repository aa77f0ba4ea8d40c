"""Elastic deployments: changing the number of containers.

Written from AutoDL's documentation, without a test against the service. Each new container has a
new uuid and address, and runs as long as its deployment's command, which has to serve port 6006.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodl.api import AutoDL, Container
from autodl.book import Card
from autodl.serving import Patience, Serving, Spot

ENDED = frozenset({"shutting_down", "shutdown"})


class Deployment:
    """One elastic deployment, whose containers all serve one engine."""

    def __init__(self, api: AutoDL, serving: Serving, uuid: str) -> None:
        """Send no request yet."""
        self._api = api
        self._serving = serving
        self._uuid = uuid

    def scale(
        self,
        engine: str,
        named: Mapping[str, Any],
        replicas: int,
        grace: float,
        patience: Patience,
    ) -> list[Card]:
        """Scale to a number of containers; return their cards once all of them answer.

        named: fields of `Card` for each container. grace: seconds in which surplus containers may
        finish their lines. The endpoints of vanished containers are removed.
        """
        live = self._live()
        surplus = list(live)[replicas:]
        book = self._serving.book
        ours = [uuid for uuid, card in book.all().items() if card.deployment == self._uuid]
        gone = [uuid for uuid in ours if uuid not in live]
        self._serving.retire(gone, 0.0)
        self._serving.retire(surplus, grace)
        for uuid in surplus:
            self._api.stop_container(uuid)
        for uuid in {*gone, *surplus}:
            book.remove(uuid)
        if len(live) < replicas:
            self._api.set_replicas(self._uuid, replicas)
        while len(live := self._live()) < replicas:
            patience.wait(f"{len(live)} of {replicas} containers are there")
        return [self._served(uuid, engine, named, patience) for uuid in list(live)[:replicas]]

    def _served(self, uuid: str, engine: str, named: Mapping[str, Any], patience: Patience) -> Card:
        def spot() -> Spot:
            container = self._live().get(uuid)
            return Spot(container.info.service_6006_port_url if container else "", "")

        self._serving.enter(uuid, engine, {**named, "deployment": self._uuid})
        return self._serving.serve(uuid, spot, patience)

    def _live(self) -> dict[str, Container]:
        containers = self._api.containers(self._uuid)
        return {one.uuid: one for one in containers if one.status not in ENDED}
