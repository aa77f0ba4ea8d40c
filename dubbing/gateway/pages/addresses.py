"""Where pages and their files are. They need no key: all that they show comes by one."""

from __future__ import annotations

import re

FILES = "/static/"
"""Below it are the files that pages load."""
PAGES = {
    "/status": "status",
    "/jobs": "jobs",
    "/jobs/new": "submit",
    "/playground": "playground",
    "/admin": "admin",
    # Last: it takes what no other page does.
    "/jobs/{job_id}": "job",
}
"""The module of each page, by its address as a route."""
FIRST = "/status"
_OPEN = re.compile("|".join(re.sub(r"\{\w+\}", "[^/]+", page) for page in ("/", *PAGES)))


def is_of_pages(path: str) -> bool:
    """Whether a path is that of a page, or of a file of one."""
    return path.startswith(FILES) or _OPEN.fullmatch(path) is not None
