"""The files of pages: modules, styles, texts and libraries."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dubbing.errors import NotFound

STATIC = Path(__file__).parent / "static"
LIBRARIES = {
    "preact": "vendor/preact/preact.mjs",
    "preact/hooks": "vendor/preact/hooks.mjs",
    "htm": "vendor/htm/htm.mjs",
    "uplot": "vendor/uplot/uPlot.esm.js",
}
"""The files of libraries, which modules import by name; modules import each other by paths."""
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
"""Media types by a file's ending; licences are text."""


@dataclass(frozen=True)
class Asset:
    """A file of the pages."""

    content: bytes
    media_type: str
    digest: str

    @cached_property
    def packed(self) -> bytes:
        """The content as gzip, which is a quarter of it for most files."""
        return gzip.compress(self.content, mtime=0)


class Assets:
    """All files of the pages, in memory: some hundred kilobytes."""

    def __init__(self) -> None:
        """Read the files."""
        paths = (path for path in sorted(STATIC.rglob("*")) if path.is_file())
        self._found = {path.relative_to(STATIC).as_posix(): _read(path) for path in paths}
        listed = "".join(f"{name} {one.digest}\n" for name, one in self._found.items())
        self.digest = _digest(listed.encode())
        """A digest of all files, because a cached old module may not fit a new one."""

    def __contains__(self, name: str) -> bool:
        """Whether there is a file."""
        return name in self._found

    def get(self, name: str) -> Asset:
        """Return a file; raises NotFound."""
        if name not in self._found:
            raise NotFound(f"the pages have no file {name!r}")
        return self._found[name]


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, TYPES.get(path.suffix, "text/plain"), _digest(content))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:24]
