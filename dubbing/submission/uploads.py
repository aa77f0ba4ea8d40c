"""Uploads: files that callers over HTTP send before they name them in a job."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from dubbing.documents import Document, Identifier, stored
from dubbing.errors import BadInput, NotFound
from dubbing.storage import Keys, Storage

UploadId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]


class Upload(Document):
    """A file on its way, or arrived: ``uploads/<tenant>/<id>.json``."""

    id: UploadId
    tenant: Identifier
    name: Annotated[str, StringConstraints(max_length=300)] = ""
    """The file's name, which tells a script's format."""
    key: str = ""
    """Storage key of the whole file; ``""`` while it is on its way."""
    bytes: int = 0
    """Size of the whole file."""
    created: float
    """Seconds since 1970."""


class Uploads:
    """The uploads of one installation. Safe to use from several threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def find(self, tenant: str, id_: str) -> Upload:
        """Return an upload of a tenant; raises NotFound."""
        try:
            key = Keys.upload(tenant, id_)
            return stored(Upload, self._storage.get(key), key)
        except (NotFound, BadInput) as exc:
            raise NotFound(f"there is no upload {id_[:40]!r}") from exc

    def finished(self, tenant: str, id_: str) -> Upload:
        """Return an upload that has arrived; raises NotFound, and BadInput while it has not."""
        upload = self.find(tenant, id_)
        if not upload.key:
            raise BadInput("the upload is not finished: send the rest of it", where=id_)
        return upload
