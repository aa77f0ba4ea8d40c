"""Tiny random models, one module per engine, each loaded by the engine's real code.

A module is named after its engine, with ``_`` for ``-``. Its ``make(folder)`` writes all files that
the engine's folder must hold, and a ``dubbing.json`` with the pace of the model.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.models.folders import ModelFolders


def make(kind: str, folder: Path) -> None:
    """Make an engine's model, unless its folder exists or the engine needs no model."""
    name = f"tiny.{kind.replace('-', '_')}"
    if not folder.exists() and find_spec(name):
        folder.mkdir(parents=True)
        import_module(name).make(folder)


def catalogue(root: Path, *kinds: str) -> Catalogue:
    """Return a catalogue of every engine, with the tiny models of ``kinds`` in ``root``."""
    for kind in kinds:
        make(kind, root / kind)
    return Catalogue(ModelFolders(root=root))
