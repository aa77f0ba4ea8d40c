"""`/docs`: all routes of the gateway, on a page without scripts.

Swagger UI would come from other hosts, and needs a weaker policy than that of the pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dubbing.gateway.office import office_of

BODY = Path(__file__).with_name("reference.html")
ADDRESS = "/docs"

router = APIRouter(include_in_schema=False)


@router.get(ADDRESS)
async def reference(request: Request) -> HTMLResponse:
    """Return the page of all routes."""
    shell, described = office_of(request).shell, request.app.openapi()
    body = Template(BODY.read_text("utf-8")).substitute(
        version=escape(described["info"]["version"]), routes="\n".join(_routes(described["paths"]))
    )
    return HTMLResponse(shell.document("dubbing: routes", body), headers=dict(shell.headers))


def _routes(paths: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the routes of an OpenAPI document as HTML, with a heading for each family."""
    family = None
    for path, methods in paths.items():
        for method, route in methods.items():
            if family != (family := next(iter(route.get("tags", ())), "")):
                yield f"<h2>{escape(family)}</h2>"
            yield _route(f"{method.upper()} {path}", route)


def _route(name: str, route: Mapping[str, Any]) -> str:
    first, *more = route.get("description", "").split("\n\n")
    parts = [f"<p>{escape(text)}</p>" for text in more]
    for field in route.get("parameters", ()):
        words = f"{field['in']}: {field.get('description', '')}".removesuffix(": ")
        parts.append(f"<p><code>{escape(field['name'])}</code> {escape(words)}</p>")
    title = f"<code>{escape(name)}</code> {escape(first)}"
    return f"<details><summary>{title}</summary>{''.join(parts)}</details>"
