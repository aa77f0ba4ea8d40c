"""Uploads: files that HTTP clients send before they name them in a job.

A file arrives whole, or in parts. Each part is a separate object, so any gateway accepts any part,
and a gateway may die at any moment. A part begins where the previous part ends, and is created only
if no other part begins there; so simultaneous senders produce one sequence of parts. When the last
byte has arrived, the parts are joined: the file is stored as media, and then its parts are removed.
Gateways remove abandoned uploads.
"""

from __future__ import annotations

import re
import secrets
import time
from enum import StrEnum
from functools import partial
from typing import Annotated

from pydantic import StringConstraints

from dubbing.documents import Document, Identifier, stored
from dubbing.errors import BadInput, Conflict, Damaged, NewerRelease, NotFound
from dubbing.storage import Keys, Storage, each
from dubbing.submission.arrival import Arrival, arriving

ID = r"^[0-9a-f]{24}$"
UploadId = Annotated[str, StringConstraints(pattern=ID)]
LINK_SECONDS = 3600
"""Seconds for which a presigned URL for an upload to the bucket is valid."""
PIECE = 1 << 20
"""Bytes of a part that are read at once."""


class UploadState(StrEnum):
    """The state of an upload."""

    UPLOADING = "uploading"
    FINISHED = "finished"


class WrongOffset(Conflict):
    """A part does not begin where the upload ends."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        """Bytes received."""
        super().__init__(f"{offset} bytes were received: send the bytes after them")


class Upload(Document):
    """An upload, finished or not: ``uploads/<tenant>/<id>.json``."""

    id: UploadId
    tenant: Identifier
    name: Annotated[str, StringConstraints(max_length=300)] = ""
    """The file's name; for a script, its suffix determines the format."""
    key: str = ""
    """Storage key of the whole file; ``""`` until it is complete."""
    bytes: int | None = None
    """Size of the whole file; None while it is unknown."""
    created: float
    """Seconds since 1970."""

    @property
    def state(self) -> UploadState:
        """Whether the whole file has arrived."""
        return UploadState.FINISHED if self.key else UploadState.UPLOADING

    @property
    def sha256(self) -> str | None:
        """The digest of the whole file, in hex; None until it is complete."""
        return self.key.rpartition("/")[2] or None


class Uploads:
    """The uploads of one installation. Safe to use from several threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def begin(self, tenant: str, name: str, size: int | None) -> Upload:
        """Begin an upload in parts. size: bytes of the whole file, if they are known."""
        return self._create(Upload(**_new(tenant, name), bytes=size))

    def begin_direct(self, tenant: str, name: str, size: int | None) -> tuple[Upload, str]:
        """Begin an upload directly to the bucket; also return the presigned URL for the PUT.

        Raises BadInput if storage is not a bucket.
        """
        if self._storage.path("") is not None:
            raise BadInput(
                "storage is a folder, which takes no file by itself: send it to the gateway",
                where="direct",
            )
        upload = self.begin(tenant, name, size)
        key = Keys.upload_part(tenant, upload.id, 0)
        return upload, self._storage.link(key, LINK_SECONDS, "PUT")

    def store(self, tenant: str, name: str, arrival: Arrival) -> Upload:
        """Store a whole file."""
        upload = Upload(**_new(tenant, name), bytes=arrival.bytes)
        with arrival.stored(self._storage, upload.id) as key:
            return self._create(upload.model_copy(update={"key": key}))

    def find(self, tenant: str, id_: str) -> Upload:
        """Return an upload of a tenant; raises NotFound."""
        unknown = NotFound(f"there is no upload {id_[:40]!r}")
        if not re.fullmatch(ID, id_):
            raise unknown
        key = Keys.upload(tenant, id_)
        try:
            return stored(Upload, self._storage.get(key), key)
        except NotFound as exc:
            raise unknown from exc

    def page(self, tenant: str, before: str | None, limit: int) -> tuple[list[Upload], str | None]:
        """Return uploads of a tenant, the last begun first, and the cursor of the next page.

        Unreadable uploads are left out.
        before: the page's cursor; None for the first page.
        limit: the most uploads of the page.
        """
        keys = self._storage.keys(Keys.uploads(tenant))
        ids = {Keys.upload_of(key)[1] for key in keys if key.endswith(".json")}
        left = sorted((id_ for id_ in ids if before is None or id_ < before), reverse=True)
        found = each(partial(self._readable, tenant), left[:limit])
        return [one for one in found if one], left[limit - 1] if len(left) > limit else None

    def finished(self, tenant: str, id_: str) -> Upload:
        """Return a finished upload; raises NotFound, and BadInput until it is finished."""
        return self.finish(self.find(tenant, id_))

    def offset(self, upload: Upload) -> int:
        """Return the number of received bytes."""
        if upload.key:
            return upload.bytes or 0
        return sum(size for _, size in self._parts(upload))

    def add(self, upload: Upload, offset: int, part: bytes) -> int:
        """Append a part at ``offset``; return the new offset.

        Raises BadInput for a part that exceeds the size of the file, and WrongOffset when another
        part begins at ``offset``.
        """
        end = offset + len(part)
        if upload.bytes is not None and end > upload.bytes:
            raise BadInput(f"the upload has {upload.bytes} bytes, and this goes on to {end}")
        if not self._storage.create(Keys.upload_part(upload.tenant, upload.id, offset), part):
            raise WrongOffset(self.offset(upload))
        return end

    def finish(self, upload: Upload) -> Upload:
        """Join the parts of an upload, unless it is finished; raises BadInput if bytes are missing.

        Two processes may do this at the same time.
        """
        if not upload.key:
            try:
                upload = self._joined(upload)
            except (NotFound, BadInput, Conflict):
                # Another process may have joined it and dropped its parts, or it was deleted.
                upload = self.find(upload.tenant, upload.id)
                if not upload.key:
                    raise
        # Also removes parts that a killed process left.
        self._drop_parts(upload)
        return upload

    def bytes_kept(self, tenant: str) -> int:
        """Return the bytes of a tenant's uploads; a file that was uploaded twice counts once."""
        sizes = self._storage.sizes(Keys.uploads(tenant))
        parts = [size for key, size in sizes.items() if not key.endswith(".json")]
        ids = {Keys.upload_of(key)[1] for key in sizes if key.endswith(".json")}
        found = each(partial(self._readable, tenant), ids)
        files = {one.key: one.bytes or 0 for one in found if one and one.key}
        return sum(files.values()) + sum(parts)

    def delete(self, upload: Upload) -> None:
        """Delete an upload with its parts; the media of a finished one stays."""
        self._storage.delete(Keys.upload(upload.tenant, upload.id))
        self._drop_parts(upload)

    def _readable(self, tenant: str, id_: str) -> Upload | None:
        try:
            return self.find(tenant, id_)
        except (NotFound, Damaged, NewerRelease):
            return None

    def _joined(self, upload: Upload) -> Upload:
        parts = self._parts(upload)
        size = sum(length for _, length in parts)
        if size != (upload.bytes or size) or not size:
            whole = f" of {upload.bytes}" if upload.bytes else ""
            raise BadInput(
                f"the upload is not finished: {size} bytes{whole} were received: send the rest",
                where=upload.id,
            )
        with arriving(size) as arrival:
            for key, length in parts:
                for offset in range(0, length, PIECE):
                    arrival.add(self._storage.get_range(key, offset, min(PIECE, length - offset)))
            if arrival.bytes != size:
                raise Conflict(f"a part of upload {upload.id} was replaced: finish it again")
            with arrival.stored(self._storage, upload.id) as key:
                found = upload.model_copy(update={"key": key, "bytes": arrival.bytes})
                # Raises NotFound if the upload was deleted meanwhile.
                self.find(upload.tenant, upload.id)
                self._storage.replace(Keys.upload(upload.tenant, upload.id), _document(found))
        return found

    def _parts(self, upload: Upload) -> list[tuple[str, int]]:
        """Return the keys and sizes of the received parts, in order."""
        sizes = self._storage.sizes(Keys.upload_parts(upload.tenant, upload.id))
        parts, offset = [], 0
        while size := sizes.get(key := Keys.upload_part(upload.tenant, upload.id, offset), 0):
            parts.append((key, size))
            offset += size
        return parts

    def _drop_parts(self, upload: Upload) -> None:
        prefix = Keys.upload_parts(upload.tenant, upload.id)
        each(self._storage.delete, self._storage.keys(prefix))

    def _create(self, upload: Upload) -> Upload:
        self._storage.create(Keys.upload(upload.tenant, upload.id), _document(upload))
        return upload


def _new(tenant: str, name: str) -> dict[str, object]:
    now = time.time()
    # The ids of later uploads sort later.
    id_ = f"{round(now * 1000):012x}{secrets.token_hex(6)}"
    return {"id": id_, "tenant": tenant, "name": name, "created": now}


def _document(upload: Upload) -> bytes:
    return upload.model_dump_json().encode()
