"""What is stored of engines: by their workers when they are loaded, and by callers before that.

Whoever plans or checks a job knows by it engines that are not installed here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pydantic import ValidationError

from dubbing.documents import Model
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import EngineSpec, Voicing
from dubbing.errors import NotFound
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

log = logging.getLogger(__name__)


class Published(Model):
    """What an engine's workers say of it: ``engines/<instance>.json``."""

    spec: EngineSpec
    model: str = ""
    """Empty while no worker has loaded it: then whoever submitted a job says what it is."""


def publish(storage: Storage, engine: Voicing) -> None:
    """Store what a loaded engine is, for whoever plans jobs."""
    published = Published(spec=engine.spec, model=engine.model)
    storage.replace(Keys.engine(engine.spec.name), published.model_dump_json().encode())


def announce(storage: Storage, specs: Iterable[EngineSpec]) -> None:
    """Store what engines are that no worker has published yet, as a job that names them is.

    Whoever plans the job knows them by this, whatever is installed there.
    """
    for spec in specs:
        storage.create(Keys.engine(spec.name), Published(spec=spec).model_dump_json().encode())


def published(storage: Storage, name: str) -> Published | None:
    """Return what an engine's workers said of it, or None when none ever ran."""
    try:
        found = Published.model_validate_json(storage.get(Keys.engine(name)))
    except NotFound:
        return None
    return found if found.model else None


def known_specs(storage: Storage, catalogue: Catalogue) -> dict[str, EngineSpec]:
    """Return the specs of the engines that jobs can name here.

    What a worker published of a loaded engine counts before what is installed here, and that
    before what another caller said of it.
    """
    found = _published(storage)
    said = {name: of.spec for name, of in found.items() if not of.model}
    loaded = {name: of.spec for name, of in found.items() if of.model}
    return said | catalogue.specs() | loaded


def published_specs(storage: Storage) -> dict[str, EngineSpec]:
    """Return the specs by which anybody plans a job, whatever models there are here.

    Workers and callers have stored those of all engines that a job names; the others are as the
    engines installed here are without a model.
    """
    return Catalogue().specs() | {name: of.spec for name, of in _published(storage).items()}


def _published(storage: Storage) -> dict[str, Published]:
    found = {}
    for key in storage.keys(Keys.ENGINES):
        try:
            of = Published.model_validate_json(storage.get(key))
        except ValidationError:
            log.warning("%s was published by another version, and is passed over", key)
        else:
            found[of.spec.name] = of
    return found
