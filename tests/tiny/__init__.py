"""Tiny random models, one module an engine, each loaded by the engine's real code.

A module is named after its engine, with ``_`` for ``-``, and has ``make(folder)``, which writes all
that the engine's folder has to hold, and a ``dubbing.json`` with the pace that the model has.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.models.folders import ModelFolders


def make(kind: str, folder: Path) -> None:
    """Make the model of an engine, unless it is there; an engine without a model needs none."""
    name = f"tiny.{kind.replace('-', '_')}"
    if not folder.exists() and find_spec(name):
        folder.mkdir(parents=True)
        import_module(name).make(folder)


def catalogue(root: Path, *kinds: str) -> Catalogue:
    """Every engine, with the tiny models of ``kinds`` in ``root``."""
    for kind in kinds:
        make(kind, root / kind)
    return Catalogue(ModelFolders(root=root))
