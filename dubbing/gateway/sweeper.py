"""Removes abandoned uploads with their parts."""

from __future__ import annotations

import logging
import re
import time

from dubbing.documents import is_identifier
from dubbing.errors import Damaged, NewerRelease, NotFound
from dubbing.storage import Keys, Storage, each
from dubbing.submission.uploads import ID, Uploads

log = logging.getLogger(__name__)

PAUSE_SECONDS = 3600.0
"""Pause between two checks."""
ABANDONED_SECONDS = 24 * 3600.0
"""An unfinished upload without new data for so long is removed. During a transfer, the next part
is stored within five hours, at any speed."""


class Sweeper:
    """Checks all uploads. Several gateways may do so at the same time."""

    def __init__(self, storage: Storage, uploads: Uploads) -> None:
        """Take the uploads."""
        self._storage = storage
        self._uploads = uploads
        self._seen = 0.0
        """Uploads without new data since then have been checked."""

    def sweep(self) -> None:
        """Remove unfinished uploads without new data for a day, and lost parts."""
        until = time.time() - ABANDONED_SECONDS
        newest: dict[tuple[str, str], float] = {}
        for key, at in self._storage.times(Keys.UPLOADS).items():
            whose = Keys.upload_of(key)
            newest[whose] = max(at, newest.get(whose, at))
        old = (whose for whose, at in newest.items() if self._seen <= at < until)
        each(lambda whose: self._remove(*whose, until), filter(_is_upload, old))
        self._seen = until

    def _remove(self, tenant: str, id_: str, until: float) -> None:
        # The next part may just have arrived.
        parts = self._storage.times(Keys.upload_parts(tenant, id_))
        try:
            upload = self._uploads.find(tenant, id_)
        except NotFound:
            # It was deleted while a part arrived.
            each(self._storage.delete, parts)
            return
        except (Damaged, NewerRelease) as exc:
            log.warning("an upload is left as it is: %s", exc)
            return
        if upload.key:
            # This drops parts that were left when a process died.
            self._uploads.finish(upload)
        elif all(at < until for at in parts.values()):
            log.info("upload %s of %s is removed: no data arrived for a day", id_, tenant)
            self._uploads.delete(upload)


def _is_upload(whose: tuple[str, str]) -> bool:
    """Whether a tenant and an id belong to an upload: other programs may put files there."""
    tenant, id_ = whose
    return is_identifier(tenant) and re.fullmatch(ID, id_) is not None
