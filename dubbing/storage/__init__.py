"""Object storage, the source of truth: a folder or a bucket, and the keys of its objects."""

from dubbing.storage.keys import Keys
from dubbing.storage.parallel import each
from dubbing.storage.s3 import S3Options
from dubbing.storage.store import Entry, Storage

__all__ = ["Entry", "Keys", "S3Options", "Storage", "each"]
