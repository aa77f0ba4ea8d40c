"""What people hand in: manifests, scripts, lists and folders of them.

`load` reads a manifest or a script. Its parsers are imported when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dubbing.script.loader import load
    from dubbing.script.manifest import Manifest, ManifestRole

__all__ = ["Manifest", "ManifestRole", "load"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, and the parsers with it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dubbing.script.loader import load  # noqa: PLC0415
    from dubbing.script.manifest import Manifest, ManifestRole  # noqa: PLC0415

    return {"load": load, "Manifest": Manifest, "ManifestRole": ManifestRole}[name]
