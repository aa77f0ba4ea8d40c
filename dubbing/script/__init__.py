"""The input of people: manifests, scripts, and lists and folders of them.

`load` reads a manifest or a script. The parsers are imported on first use of this package's names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dubbing.script.loader import load
    from dubbing.script.manifest import Manifest, ManifestRole

__all__ = ["Manifest", "ManifestRole", "load"]


def __getattr__(name: str) -> Any:
    """Import a name on first use, and the parsers with it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dubbing.script.loader import load  # noqa: PLC0415
    from dubbing.script.manifest import Manifest, ManifestRole  # noqa: PLC0415

    return {"load": load, "Manifest": Manifest, "ManifestRole": ManifestRole}[name]
