"""The documents of pages, and the files that they load."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from dubbing.gateway.office import office_of
from dubbing.gateway.pages.addresses import FILES, FIRST, PAGES
from dubbing.gateway.pages.shell import HARDENED

FOR_GOOD = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@router.get("/")
async def first() -> RedirectResponse:
    """Redirect to the first page."""
    return RedirectResponse(FIRST)


def page_of(module: str) -> Callable[[Request], Awaitable[HTMLResponse]]:
    """Return the route of a page."""

    async def page(request: Request) -> HTMLResponse:
        shell = office_of(request).shell
        return HTMLResponse(shell.of(module), headers=dict(shell.headers))

    return page


for address, module in PAGES.items():
    router.get(address)(page_of(module))


@router.get(f"{FILES}{{release}}/{{name:path}}")
async def static(
    request: Request,
    release: str,
    name: str,
    if_none_match: Annotated[str, Header()] = "",
    accept_encoding: Annotated[str, Header()] = "",
) -> Response:
    """Return a file of the pages. release: the digest of all files, as the page knows it.

    While gateways of two releases share an address, a page of the other release gets the file of
    this one, and does not cache it.
    """
    assets = office_of(request).shell.assets
    asset = assets.get(name)
    headers = {
        **HARDENED,
        # A weak one: it stands for the packed file, too.
        "ETag": f'W/"{asset.digest}"',
        "Cache-Control": FOR_GOOD if release == assets.digest else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if asset.digest in if_none_match:
        return Response(status_code=304, headers=headers)
    if "gzip" in accept_encoding:
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, media_type=asset.media_type, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)
