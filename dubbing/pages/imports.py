"""The files that a module imports, from its text."""

from __future__ import annotations

import posixpath
import re

from dubbing.pages.assets import LIBRARIES, Assets

IMPORT = re.compile(r'^(?:import|export)\b[^"(]*?"([^"]+)";', re.MULTILINE)


def imports_of(assets: Assets, importer: str) -> dict[str, str]:
    """Return the files that a module imports, by the names in its imports; raises NotFound."""
    folder = posixpath.dirname(importer)
    called = IMPORT.findall(assets.get(importer).content.decode())
    return {name: LIBRARIES.get(name) or posixpath.normpath(f"{folder}/{name}") for name in called}


def imported(assets: Assets, module: str) -> list[str]:
    """Return the files that a module imports, and those that these import; raises NotFound."""
    found: dict[str, None] = {}
    left = [module]
    while left:
        for file in imports_of(assets, left.pop()).values():
            if file not in found:
                found[file] = None
                left.append(file)
    return list(found)
