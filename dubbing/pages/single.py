"""A page as one file: modules, styles and data in a document that needs no server."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Template
from typing import Any

from dubbing.pages.assets import LIBRARIES, Assets
from dubbing.pages.imports import imported, imports_of

DOCUMENT = Path(__file__).with_name("single.html")
POLICY = (
    "default-src 'none'",
    "img-src data:",
    # Sound beside the file, wherever that lies, and sound within it.
    "media-src 'self' file: blob: data:",
    "connect-src blob: data:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)


def single(assets: Assets, module: str, styles: Iterable[str], data: Any, title: str) -> str:
    """Return a page's document.

    module: the file of the page; it finds ``data`` as JSON in the element ``data``.
    styles: files of styles, in their order.
    """
    # A module of a data URL has no folder from which a path could lead, so it imports by names.
    modules = {name: _data_url(text) for name, text in _modules(assets, module)}
    imports = json.dumps({"imports": modules})
    start = f'import "{module}";'
    style = "\n".join(assets.get(name).content.decode() for name in styles)
    policy = (
        *POLICY,
        f"script-src data: {_hash_of(imports)} {_hash_of(start)}",
        f"style-src {_hash_of(style)}",
    )
    return Template(DOCUMENT.read_text("utf-8")).substitute(
        policy="; ".join(policy),
        title=html.escape(title),
        style=style,
        imports=imports,
        # In JSON, "<" occurs only in texts, where it might end the element.
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        start=start,
    )


def _modules(assets: Assets, module: str) -> Iterator[tuple[str, str]]:
    """Yield a module and all that it imports: each one's name, and its text with such names."""
    libraries = {file: name for name, file in LIBRARIES.items()}
    for file in (module, *imported(assets, module)):
        text = assets.get(file).content.decode()
        for called, other in imports_of(assets, file).items():
            text = text.replace(f'"{called}"', f'"{libraries.get(other, other)}"')
        yield libraries.get(file, file), text


def _data_url(text: str) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(text.encode()).decode()}"


def _hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
