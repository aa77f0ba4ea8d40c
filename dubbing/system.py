"""The composition root: builds the parts of a process from its settings, each on first use.

Clients, workers and commands all build their storage, ledger, queue and engines here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.models.folders import ModelFolders
from dubbing.engines.remote.pool import SERVICE_KEY, Pools
from dubbing.engines.threads import cores
from dubbing.errors import QueueUnavailable
from dubbing.jobs.costs import Account, spent
from dubbing.jobs.installation import Installation
from dubbing.ledger import Ledger
from dubbing.queue import Publisher, make_app
from dubbing.settings import Settings, temporary_folder
from dubbing.storage import S3Options, Storage

if TYPE_CHECKING:
    from celery import Celery

    from dubbing.assembly.demucs import Separator
    from dubbing.engines.remote.registry import Registry
    from dubbing.proof.words import WordJudge


JUDGES = 4
"""Most takes that a process judges at once, beside an engine that does not use the processor."""
SERVED = "indextts"
"""The engine of ``TTS_SERVICE_URL``."""


@dataclass
class System:
    """One installation, with this process's access to it."""

    settings: Settings = field(default_factory=Settings)

    def greet(self) -> None:
        """Check within seconds that a worker can work; raise if Redis, storage or a folder fails.

        Raises WrongInstallation when storage and Redis do not belong together. This is for the
        first contact: later calls retry longer, so that a worker survives a restart of Redis.
        """
        self.ledger.greet()
        self.storage.greet()
        # Before the folder is made, which may belong to another installation.
        self.installation.enter()
        self.storage.check_writable()
        temporary_folder()

    @cached_property
    def storage(self) -> Storage:
        """Object storage; raises BadInput and StorageUnavailable."""
        settings = self.settings
        secret = settings.s3_secret_access_key
        options = S3Options(
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key_id=settings.s3_access_key_id,
            secret_access_key=secret.get_secret_value() if secret else None,
            ca_file=settings.ca_file,
            granted=settings.granted_sources,
            targets=settings.granted_targets,
        )
        return Storage.at(settings.storage, options, private=not settings.storage_url)

    @cached_property
    def ledger(self) -> Ledger:
        """State in Redis; raises QueueUnavailable when no system runs for this home.

        Raises QueueRefused when it may be another user's.
        """
        settings = self.settings
        if not settings.redis_url:
            settings.check_socket()
            if not settings.socket.exists():
                raise QueueUnavailable(
                    "no system runs for this home: start `dubbing up` in another terminal, or set "
                    "DUBBING_REDIS_URL"
                )
        return Ledger(settings.redis)

    @cached_property
    def installation(self) -> Installation:
        """Storage and Redis, whose ids are compared before work is taken or jobs are written."""
        return Installation(self.storage, self.ledger)

    @cached_property
    def app(self) -> Celery:
        """The Celery app of this process."""
        return make_app(self.settings.redis)

    @cached_property
    def publisher(self) -> Publisher:
        """The publisher, which sends batches, lines and orders to workers."""
        return Publisher(self.app, self.ledger)

    @property
    def model_folders(self) -> ModelFolders:
        """The folders of the engines' models."""
        settings = self.settings
        root = settings.models or settings.home / "models"
        return ModelFolders(root=root, named=settings.model_folders)

    def word_judge(self, engines: Sequence[str]) -> WordJudge | None:
        """Return the judge of the words of takes in a process of these engines.

        None if the settings turn proof off, or the extra or its model is missing.
        """
        from dubbing.proof.words import NAME, WordJudge, missing  # noqa: PLC0415 - it loads numpy

        folder = self.model_folders.of(NAME)
        if not self.settings.prove_words or missing(folder):
            return None
        # Engines on a CPU have a process for each core.
        alone = any(self.catalogue.create(name).spec.device != "cpu" for name in engines)
        return WordJudge(folder, min(JUDGES, cores()) if alone else 1)

    @property
    def separator(self) -> Separator:
        """The separator, which removes the speech from films, if this machine can."""
        from dubbing.assembly.demucs import NAME, Separator  # noqa: PLC0415 - few need it

        return Separator(self.model_folders.of(NAME), self.settings.device)

    @cached_property
    def pools(self) -> Pools:
        """The endpoints of remote engines."""
        return Pools(lambda: self.storage, self.settings.key, self._spent, self.settings.ca_file)

    def _spent(self, engine: str, month: str, currency: str) -> float:
        return spent(self.storage, self.ledger, Account(engine, month, currency))

    @property
    def registry(self) -> Registry:
        """Adds, checks and removes endpoints."""
        from dubbing.engines.remote.registry import Registry  # noqa: PLC0415 - it loads HTTP

        return Registry(self.catalogue, self.pools)

    def add_endpoints(self) -> None:
        """Add the endpoints of the settings, unless they are known; raises BadInput."""
        named = [(engine, url) for engine, urls in self.settings.endpoints.items() for url in urls]
        for engine, url in named:
            if self.pools.get(engine).endpoint(url) is None:
                self.registry.add(engine, {"url": url}, {})
        if (url := self.settings.tts_service_url) and not self.pools.get(SERVED).endpoint(url):
            key_from = SERVICE_KEY if self.settings.tts_api_key else ""
            self.registry.add(SERVED, {"url": url, "key_from": key_from}, {})

    @cached_property
    def catalogue(self) -> Catalogue:
        """The installed engines, except those whose licence the settings refuse."""
        return Catalogue(
            self.model_folders, refused=self.settings.refuse_licences, pools=self.pools
        )

    @cached_property
    def local_catalogue(self) -> Catalogue:
        """The same without remote engines: it reads no storage."""
        return Catalogue(self.model_folders, refused=self.settings.refuse_licences)
