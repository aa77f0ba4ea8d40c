"""The specs of engines in storage, published by workers, or by callers before any worker.

With them, a process can plan and check jobs for engines that are not installed on its machine.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial

from dubbing.documents import Document, is_identifier, stored
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import EngineSpec, Voicing
from dubbing.errors import Damaged, NewerRelease, NotFound
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.storage.parallel import each

log = logging.getLogger(__name__)


class Published(Document):
    """An engine's stored spec and model: ``engines/<instance>.json``."""

    spec: EngineSpec
    model: str = ""
    """Hex digest of the model. Empty until a worker has loaded it; the spec then comes from the
    caller that submitted a job."""


def publish(storage: Storage, engine: Voicing) -> None:
    """Store the spec and model of a loaded engine, for planning jobs."""
    published = Published(spec=engine.spec, model=engine.model)
    storage.replace(Keys.engine(engine.spec.name), published.model_dump_json().encode())


def announce(storage: Storage, specs: Iterable[EngineSpec]) -> None:
    """Store the specs of a job's engines that no worker has published.

    With them, any process can plan the job, whatever it has installed.
    """
    for spec in specs:
        storage.create(Keys.engine(spec.name), Published(spec=spec).model_dump_json().encode())


def published(storage: Storage) -> dict[str, Published]:
    """Return the entries of the engines that workers have loaded, by name."""
    return {name: entry for name, entry in _entries(storage).items() if entry.model}


def known_specs(storage: Storage, catalogue: Catalogue) -> dict[str, EngineSpec]:
    """Return the specs of the engines that jobs can name here.

    A spec that a worker published precedes an installed one, which precedes a spec of another
    caller.
    """
    entries = _entries(storage)
    announced = {name: entry.spec for name, entry in entries.items() if not entry.model}
    loaded = {name: entry.spec for name, entry in entries.items() if entry.model}
    return announced | catalogue.specs() | loaded


def published_specs(storage: Storage) -> dict[str, EngineSpec]:
    """Return the specs for planning a job, independent of the models of this process.

    Workers and callers have stored the specs of all engines that a job names. Other engines have
    their installed spec, without a model.
    """
    return Catalogue().specs() | {name: entry.spec for name, entry in _entries(storage).items()}


def _entries(storage: Storage) -> dict[str, Published]:
    names = (
        key.removeprefix(Keys.ENGINES).removesuffix(".json") for key in storage.keys(Keys.ENGINES)
    )
    keys = [Keys.engine(name) for name in names if is_identifier(name)]
    entries = each(partial(_load, storage), keys)
    return {entry.spec.name: entry for entry in entries if entry}


def _load(storage: Storage, key: str) -> Published | None:
    """Return an entry; None if there is none that this release can read."""
    try:
        return stored(Published, storage.get(key), key)
    except NotFound:
        return None
    except (NewerRelease, Damaged) as exc:
        log.warning("skipped: %s", exc)
        return None
