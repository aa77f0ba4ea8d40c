"""A real browser, Debian's chromium, which Playwright drives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from services import unavailable

CHROMIUM = Path("/usr/bin/chromium")
SECONDS = 20.0
"""How long a page may take for what a test waits for."""
OPTIONS = ("--disable-background-networking", "--disable-component-update", "--disable-gpu")


@contextmanager
def page(**options: Any) -> Iterator[Any]:
    """Yield an empty page of a browser without a window. options: as of Playwright's contexts."""
    if find_spec("playwright") is None or not CHROMIUM.exists():
        unavailable("chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            page = browser.new_page(**options)
            page.set_default_timeout(SECONDS * 1000)
            yield page
        finally:
            browser.close()
