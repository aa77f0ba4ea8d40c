"""`/status`, and the files that it loads. They need no key: all that they show comes by one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from dubbing.gateway.office import office_of
from dubbing.gateway.pages.assets import ROUTE
from dubbing.gateway.pages.shell import HARDENED

FOR_GOOD = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@router.get("/")
async def first() -> RedirectResponse:
    """Lead to the first page."""
    return RedirectResponse("/status")


@router.get("/status")
async def status(request: Request) -> HTMLResponse:
    """Show how the system is."""
    shell = office_of(request).shell
    return HTMLResponse(shell.of("status"), headers=dict(shell.headers))


@router.get(f"{ROUTE}{{release}}/{{name:path}}")
async def static(
    request: Request, release: str, name: str, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Return a file of the pages. release: the digest of all files, as the page knows it.

    While gateways of two releases stand behind one address, a page of the other one gets the file
    of this one, and does not keep it.
    """
    assets = office_of(request).shell.assets
    asset, tag = assets.get(name), f'"{assets.get(name).digest}"'
    caching = FOR_GOOD if release == assets.digest else "no-cache"
    headers = {**HARDENED, "ETag": tag, "Cache-Control": caching}
    if if_none_match and tag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)
