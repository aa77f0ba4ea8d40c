"""AutoDL's API: the client, and the only module that interprets its codes.

Every answer has status 200; its ``code`` gives the outcome of the request. AutoDL publishes no list
of codes: the known codes are in `MEANINGS`, and any other code counts as a refusal. Only the fields
that are declared here are kept, because a snapshot contains the root password.

Sources: https://www.autodl.com/docs/instance_pro_api/ and https://www.autodl.com/docs/esd_api_doc/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx2
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from dubbing.errors import BadInput, DubbingError, NotFound, Transient
from dubbing.visible import readable_line

HOST = "https://api.autodl.com"
TOKEN = "AUTODL_TOKEN"
SECONDS = 30.0
"""Timeout of one request."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 120.0
"""Seconds before a request is repeated, at first and at most."""
PAGE = 100
"""Instances or containers on one page of a list."""
KEPT = timedelta(days=15)
"""Time for which AutoDL keeps an instance that is off, with its data disk."""
NO_STOCK = "InternalError"
MEANINGS: Mapping[str, str] = {
    "BadRequest": "the account has no right to this: elastic deployment needs a verified company",
    "TORealName": "the account's holder is not verified: do so on https://www.autodl.com",
    "RequestParameterIsWrong": "AutoDL does not accept a value of the request",
}

Result = TypeVar("Result")
Fields = TypeVar("Fields")


class Busy(Transient):
    """AutoDL has no free card, or failed: a later request may succeed."""

    code = "autodl_busy"


class Unheard(Transient):
    """AutoDL did not answer: it is unknown whether it carried out the request."""

    code = "autodl_unheard"


class _Fields(BaseModel):
    """The declared fields of an answer; other fields are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Moment(_Fields):
    """A time, or none."""

    time: AwareDatetime = Field(alias="Time")
    valid: bool = Field(alias="Valid")


class Instance(_Fields):
    """An instance as the list shows it."""

    uuid: str
    name: str = ""
    status: str = ""
    """running, starting, shutting_down or shutdown."""
    stopped_at: Moment | None = None

    @property
    def released_at(self) -> datetime | None:
        """Time at which it is released with its data disk unless it is started before; None while
        it is on."""
        stopped = self.stopped_at
        return (
            stopped.time + KEPT if self.status == "shutdown" and stopped and stopped.valid else None
        )


class Snapshot(_Fields):
    """The facts about a running instance."""

    service_6006_domain: str = ""
    """host:port of its service on port 6006."""
    payg_price: float = 0.0
    """Thousandths of a yuan per hour."""

    @property
    def price(self) -> str:
        """The price, as `dubbing endpoints add --price` takes it; ``""`` if unknown."""
        return f"{self.payg_price / 1000:.3f} CNY/h" if self.payg_price else ""


class Place(_Fields):
    """The address of a container."""

    service_6006_port_url: str = ""


class Container(_Fields):
    """A container of an elastic deployment."""

    uuid: str
    status: str = ""
    info: Place = Place()


class AutoDL:
    """AutoDL's API for one account."""

    def __init__(self, token: str, host: str = HOST) -> None:
        """Send no request yet; raises BadInput without a token."""
        if not token or not (token.isascii() and token.isprintable()):
            raise BadInput(
                "set it to the account's developer token, from "
                "https://www.autodl.com/console/center/settings/token",
                where=TOKEN,
            )
        # AutoDL's own scheme: only the token, without "Bearer".
        self._client = httpx2.Client(
            base_url=host, headers={"Authorization": token}, timeout=SECONDS, follow_redirects=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def instances(self) -> list[Instance]:
        """Return all instances Pro of the account; those rented on AutoDL's page have no API."""
        return list(self._listed(Instance, "instance/pro/list", {}))

    def status(self, uuid: str) -> str:
        """Return the status of an instance, as in `Instance`; raises NotFound."""
        return self._asked(str, "GET", "instance/pro/status", {"instance_uuid": uuid})

    def snapshot(self, uuid: str) -> Snapshot:
        """Return the address and the price of a running instance; raises NotFound."""
        return self._asked(Snapshot, "GET", "instance/pro/snapshot", {"instance_uuid": uuid})

    def create(self, order: Mapping[str, Any]) -> str:
        """Create and start an instance; return its uuid. Raises Busy and Unheard."""
        return self._asked(str, "POST", "instance/pro/create", order)

    def power_on(self, uuid: str) -> None:
        """Start an instance; raises Busy when its machine has no free card, and NotFound."""
        content = {"instance_uuid": uuid, "payload": "gpu"}
        self._asked(object, "POST", "instance/pro/power_on", content)

    def power_off(self, uuid: str) -> None:
        """Stop an instance, which ends its costs by the hour; raises NotFound."""
        self._asked(object, "POST", "instance/pro/power_off", {"instance_uuid": uuid})

    def containers(self, deployment: str) -> list[Container]:
        """Return the containers of an elastic deployment."""
        content = {"deployment_uuid": deployment}
        return list(self._listed(Container, "deployment/container/list", content))

    def set_replicas(self, deployment: str, replicas: int) -> None:
        """Set the number of containers of an elastic deployment."""
        content = {"deployment_uuid": deployment, "replica_num": replicas}
        self._asked(object, "PUT", "deployment/replica_num", content)

    def stop_container(self, uuid: str) -> None:
        """Stop a container, and reduce its deployment by one."""
        content = {"deployment_container_uuid": uuid, "decrease_one_replica_num": True}
        self._asked(object, "PUT", "deployment/container/stop", content)

    def patiently(
        self, do: Callable[[], Result], tries: int, note: Callable[[Exception], object]
    ) -> Result:
        """Return the result of ``do``, called again with growing pauses while it raises Transient.

        tries: most calls; then the last error is raised. note: called with each error.
        """
        backoff = ExponentialWithJitterBackoff(base=FIRST_PAUSE, cap=LONGEST_PAUSE)
        return Retry(backoff, tries - 1, (Transient,)).call_with_retry(do, note)

    def _listed(
        self, kind: type[Fields], route: str, content: Mapping[str, Any]
    ) -> Iterator[Fields]:
        page, last = 1, 1
        while page <= last:
            asked = {**content, "page_index": page, "page_size": PAGE}
            found = self._asked(dict[str, Any], "POST", route, asked)
            # The list is null for an account without entries.
            yield from _read(list[kind], found.get("list") or [], route)  # type: ignore[valid-type]
            page, last = page + 1, found.get("max_page") or 1

    def _asked(
        self, kind: type[Fields], method: str, route: str, content: Mapping[str, Any]
    ) -> Fields:
        """Return the data of an answer; raises as `_fault` says, and Unheard."""
        # The documentation shows GET with a body, but the service ignores the body.
        where: dict[str, Any] = {"params" if method == "GET" else "json": content}
        try:
            answer = self._client.request(method, f"/api/v1/dev/{route}", **where)
            body = answer.json()
        except httpx2.HTTPError as exc:
            words = readable_line(str(exc)) or type(exc).__name__
            raise Unheard(f"AutoDL did not answer: {words}") from exc
        except ValueError as exc:
            raise Unheard(f"AutoDL answered HTTP {answer.status_code} without JSON") from exc
        if not isinstance(body, dict) or body.get("code") != "Success":
            raise _fault(body, route)
        read: Fields = _read(kind, body.get("data"), route)
        return read


def _fault(body: object, route: str) -> DubbingError:
    """Return the error of an answer."""
    said = body if isinstance(body, dict) else {}
    code = str(said.get("code"))
    words = f"{code}: {readable_line(str(said.get('msg') or '')) or 'no reason given'}"
    if code == NO_STOCK:
        return Busy(f"AutoDL has no free card, or failed: {words}")
    if code == "RecordNotFoundError":
        return NotFound(f"AutoDL knows no such instance or deployment in this account ({words})")
    hint = MEANINGS.get(code)
    return BadInput(f"{hint} ({words})" if hint else words, where=f"AutoDL, {route}")


def _read(kind: Any, data: Any, route: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(data)
    except ValidationError as exc:
        places = ", ".join(".".join(map(str, fault["loc"])) or "data" for fault in exc.errors())
        # Without the cause, because its message contains the values.
        raise Unheard(f"AutoDL's answer to {route} is not as documented: {places}") from None
