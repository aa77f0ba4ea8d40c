"""The pages of the gateway in headless Chromium, with 50 nodes, 1,000 open jobs and 10,000 lines.

- ``status_paint_ms``: milliseconds from a click on `/status` until its nodes and jobs are painted,
  with an empty browser cache; the median of several runs.
- ``heap_growth``: relative growth of the page's JavaScript heap after five minutes of updates:
  figures of every node every two seconds, jobs that end, and new jobs.
- ``job_interactive_ms``: milliseconds from a click on the page of an ended job of 10,000 lines
  until a click on a line has opened it, with an empty browser cache; the median of several runs.
- ``job_fps``: frames a second while the mouse wheel scrolls the list of these lines.
- ``report_mb``: megabytes of the HTML report of 400 lines, without sounds.
- ``axe_serious``: serious and critical violations that axe finds on all pages and in that report,
  light and dark, on a desk and on a phone.

Needs the packages of ``scripts/setup test``. The nodes are only heartbeats, and the jobs wait in
Redis and storage, because no worker runs.

Takes seven minutes.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._pages import LONG, NODES, REPORTED, Place, changing, place
from dubbing.gateway.pages.addresses import PAGES

LOADS = 5
SHOWN_JOBS = 50
"""Most jobs that the page shows."""
WARM_MS = 30_000
"""Milliseconds of updates before the first measurement of the heap, to compile all scripts."""
UPDATED_MS = 5 * 60_000
"""Milliseconds of updates between the measurements of the heap."""
COLLECTIONS = 5
GRAVE = frozenset({"serious", "critical"})
SCREENS = ({"width": 1280, "height": 900}, {"width": 390, "height": 844})
SCHEMES = ("light", "dark")
PAINTED = """([nodes, jobs]) => new Promise((resolve) => {
  const rows = (id) => document.querySelectorAll(`section[aria-labelledby=${id}] tbody tr`).length;
  const look = () => {
    if (rows("nodes") < nodes || rows("jobs") < jobs) requestAnimationFrame(look);
    // What stands in the document now is painted before the next frame begins.
    else requestAnimationFrame(() => resolve(performance.now()));
  };
  look();
})"""

WHEEL_PIXELS = 1600
"""Pixels of one turn of the wheel; all lines take some seconds."""
OPENED = """() => new Promise((resolve) => {
  const look = () => {
    // The list has its lines before the page has been drawn with them.
    document.querySelector(".lines .line")?.click();
    if (!document.querySelector(".open-line")) requestAnimationFrame(look);
    else requestAnimationFrame(() => resolve(performance.now()));
  };
  look();
})"""
COUNTING = """() => {
  window.frames_seen = 0;
  const count = () => requestAnimationFrame(() => (window.frames_seen += 1, count()));
  count();
}"""

AT_MOST = {
    "status_paint_ms": 1000,
    "heap_growth": 0.10,
    "job_interactive_ms": 2000,
    "report_mb": 3,
    "axe_serious": 0,
}
AT_LEAST = {"job_fps": 30}


def run() -> dict[str, float]:
    """Return the figures. minutes: duration of the heap measurement."""
    with (
        tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder,
        place(Path(folder)) as here,
    ):
        return {
            "status_paint_ms": statistics.median(_paints(here)),
            "heap_growth": _growth(here),
            "job_interactive_ms": statistics.median(_openings(here)),
            "job_fps": _frames(here),
            "report_mb": here.report.stat().st_size / 1e6,
            "axe_serious": sum(map(len, _violations(here))),
        }


def _paints(here: Place) -> Iterator[float]:
    """Yield the milliseconds until the status is painted, each time in a new browser context."""
    for _ in range(LOADS):
        with here.person() as page:
            page.goto("/status", wait_until="commit")
            yield page.evaluate(PAINTED, [NODES, SHOWN_JOBS])


def _openings(here: Place) -> Iterator[float]:
    """Yield the milliseconds until a line of the long job is open, each in a new context."""
    for _ in range(LOADS):
        with here.person() as page:
            page.goto(f"/jobs/{LONG}", wait_until="commit")
            yield page.evaluate(OPENED)


def _frames(here: Place) -> float:
    """Return the frames a second while a wheel scrolls through the lines of the long job."""
    with here.person() as page:
        page.goto(f"/jobs/{LONG}")
        lines = page.get_by_role("listbox")
        lines.hover()
        page.evaluate(COUNTING)
        began = time.perf_counter()
        for _ in range(lines.evaluate("(list) => list.scrollHeight") // WHEEL_PIXELS):
            page.mouse.wheel(0, WHEEL_PIXELS)
        seconds, frames = time.perf_counter() - began, page.evaluate("frames_seen")
        seen = "(list) => (list.scrollTop + list.clientHeight) / list.scrollHeight"
        assert lines.evaluate(seen) > 0.9, "it has not scrolled"
        return float(frames) / seconds


def _growth(here: Place) -> float:
    """Return the relative growth of the heap while the status page gets updates."""
    with here.person() as page, changing(here.client):
        page.goto("/status")
        page.evaluate(PAINTED, [NODES, SHOWN_JOBS])
        page.wait_for_timeout(WARM_MS)
        before = _heap(page)
        page.wait_for_timeout(UPDATED_MS)
        growth = _heap(page) / before - 1
        # Checked only here, because Playwright's checks run scripts that use the heap.
        assert page.get_by_text("Live", exact=True).is_visible(), "the page is told nothing"
        return growth


def _heap(page: Any) -> int:
    """Return the bytes that the scripts of a page use."""
    session = page.context.new_cdp_session(page)
    found = []
    for _ in range(COLLECTIONS):
        # A single collection may leave garbage that the next one finds.
        session.send("HeapProfiler.collectGarbage")
        found.append(session.send("Runtime.getHeapUsage")["usedSize"])
        page.wait_for_timeout(500)
    session.detach()
    return min(found)


def _violations(here: Place) -> Iterator[list[Any]]:
    """Yield the grave violations on each page, for each screen size and colour scheme."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - it reads axe

    for screen in SCREENS:
        for scheme in SCHEMES:
            # The pages' content security policy would block axe's script.
            options = {"viewport": screen, "color_scheme": scheme, "bypass_csp": True}
            with here.person(**options) as page:
                pages = [re.sub(r"\{\w+\}", REPORTED, address) for address in PAGES]
                for address in (*pages, here.report.as_uri()):
                    page.goto(address)
                    page.locator("main h1").wait_for()
                    page.wait_for_function("!document.querySelector('main [aria-busy=true]')")
                    found = Axe().run(page).response["violations"]
                    yield [one for one in found if one["impact"] in GRAVE]
