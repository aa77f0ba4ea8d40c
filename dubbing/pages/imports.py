"""What a module imports, for browsers to be told at once: else they find out step by step."""

from __future__ import annotations

import posixpath
import re

from dubbing.pages.assets import LIBRARIES, Assets

IMPORT = re.compile(r'^(?:import|export)\b[^"(]*?"([^"]+)";', re.MULTILINE)


def imported(assets: Assets, module: str) -> list[str]:
    """Return the files that a module imports, and those that these import; raises NotFound."""
    found: dict[str, None] = {}
    left = [module]
    while left:
        importer = left.pop()
        for name in IMPORT.findall(assets.get(importer).content.decode()):
            file = LIBRARIES.get(name) or posixpath.normpath(
                f"{posixpath.dirname(importer)}/{name}"
            )
            if file not in found:
                found[file] = None
                left.append(file)
    return list(found)
