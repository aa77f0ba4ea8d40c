"""``report.html`` beside the outputs: the report as a page that a browser opens from disk.

The page needs no server and no network. It contains the clips of lines that a person should hear.
Other lines are heard in the film, which the page expects beside itself.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from dubbing.assembly.report import Report
from dubbing.errors import NotFound
from dubbing.pages.assets import Assets
from dubbing.pages.single import single
from dubbing.storage import Storage

EMBEDDED_BYTES = 8 << 20
"""Most bytes of clips in a page, which are those of the first doubtful lines."""
MODULE = "pages/report.js"
STYLES = ("vendor/pico/pico.min.css", "style.css", "styles/job.css")


def page_of(report: Report, storage: Storage) -> bytes:
    """Return the page of a report; raises StorageUnavailable."""
    sounds = {
        line: f"data:audio/flac;base64,{base64.b64encode(clip).decode()}"
        for line, clip in _to_hear(report, storage)
    }
    data = {"report": report.model_dump(mode="json"), "sounds": sounds}
    return single(Assets(), MODULE, STYLES, data, title=report.job).encode()


def _to_hear(report: Report, storage: Storage) -> Iterator[tuple[str, bytes]]:
    """Yield the doubtful lines with their clips, until the page is full."""
    left = EMBEDDED_BYTES
    for line in report.lines:
        if line.clip is None or not line.doubtful:
            continue
        try:
            clip = storage.get(line.clip)
        except NotFound:
            # The line is still heard in the film.
            continue
        left -= len(clip)
        if left < 0:
            return
        yield line.id, clip
