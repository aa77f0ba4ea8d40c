"""The shell of a page: the document that a browser gets first, and the page's policy.

A page may only run the gateway's own modules and talk to the gateway. The document holds no script
or style but the import map, no text becomes code or markup, and the only other host is that of the
bucket, whose films are played.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

from dubbing.gateway.pages.addresses import FILES
from dubbing.pages.assets import LIBRARIES, Assets
from dubbing.pages.imports import imported

DOCUMENT = Path(__file__).with_name("document.html")
SCRIPTLESS = "<noscript>This page needs JavaScript. · 此页面需要 JavaScript。</noscript>"
ICON = "icon.svg"
STYLES = ("vendor/pico/pico.min.css", "vendor/uplot/uPlot.min.css", "style.css")
"""Styles of all pages; a page may have some of its own."""
POLICY = (
    "default-src 'none'",
    "connect-src 'self'",
    # Pico draws the signs of its fields from data.
    "img-src 'self' data:",
    "style-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    # No text can become markup.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
HARDENED: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of pages and of their files."""


class Shell:
    """Makes the shells of pages."""

    def __init__(self, assets: Assets, films: str = "") -> None:
        """Take the files of the pages. films: the origin of links to films, if any."""
        self._documents: dict[str, str] = {}
        self.assets = assets
        imports = {name: self.url(file) for name, file in LIBRARIES.items()}
        self._imports = json.dumps({"imports": imports})
        self._document = Template(DOCUMENT.read_text("utf-8"))
        digest = base64.b64encode(hashlib.sha256(self._imports.encode()).digest()).decode()
        policy = (
            *POLICY,
            f"script-src 'self' 'sha256-{digest}'",
            # Sounds come from routes, from links of these, or from answers that the page holds.
            f"media-src 'self' blob: {films}".rstrip(),
        )
        self.headers: Mapping[str, str] = {
            **HARDENED,
            "Content-Security-Policy": "; ".join(policy),
            # It names the files of this release.
            "Cache-Control": "no-cache",
        }

    def url(self, name: str) -> str:
        """Return the address of a file; raises NotFound.

        The digest of all files is a part of it, so browsers may cache the file.
        """
        self.assets.get(name)
        return f"{FILES}{self.assets.digest}/{name}"

    def of(self, page: str) -> str:
        """Return the document of a page."""
        if page not in self._documents:
            self._documents[page] = self._shell(page)
        return self._documents[page]

    def document(
        self, title: str, body: str, styles: Iterable[str] = STYLES, scripts: str = ""
    ) -> str:
        """Return a document, of HTML in its parts. styles: files. scripts: elements of its head."""
        return self._document.substitute(
            title=title,
            icon=self.url(ICON),
            styles=self._links("stylesheet", styles),
            scripts=scripts,
            body=body,
        )

    def _shell(self, page: str) -> str:
        module, own = f"pages/{page}.js", f"styles/{page}.css"
        styles = (*STYLES, own) if own in self.assets else STYLES
        scripts = (
            f'<script type="importmap">{self._imports}</script>',
            self._links("modulepreload", imported(self.assets, module)),
            f'<script type="module" src="{self.url(module)}"></script>',
        )
        return self.document("dubbing", SCRIPTLESS, styles, "\n".join(scripts))

    def _links(self, kind: str, files: Iterable[str]) -> str:
        return "\n".join(f'<link rel="{kind}" href="{self.url(file)}">' for file in files)
