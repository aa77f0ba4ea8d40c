"""The addresses of pages and their files. They need no key: only their data does."""

from __future__ import annotations

import re

FILES = "/static/"
"""The address below which the files of pages are."""
PAGES = {
    "/status": "status",
    "/jobs": "jobs",
    "/jobs/new": "submit",
    "/playground": "playground",
    "/admin": "admin",
    # Last, because it takes all other addresses.
    "/jobs/{job_id}": "job",
}
"""The module of each page, by its address as a route."""
FIRST = "/status"
_OPEN = re.compile("|".join(re.sub(r"\{\w+\}", "[^/]+", page) for page in ("/", *PAGES)))


def is_of_pages(path: str) -> bool:
    """Whether a path belongs to a page or to a file of a page."""
    return path.startswith(FILES) or _OPEN.fullmatch(path) is not None
