"""Contracts of other services: their routes over our engines, so that their clients keep working.

Each module is one contract. It follows the service where callers rely on it, with one exception:
faults that the service ignores, such as an unknown voice, are errors here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

# Commands need only the names.
if TYPE_CHECKING:
    from dubbing.engine_server.contract import Contract

CONTRACTS: Mapping[str, str] = {
    "piper": "piper",
    "speaker-embedding": "speaker_embedding",
    "tts-service": "tts_service",
    "yourtts": "yourtts",
}
"""The module of each contract."""


def load(name: str) -> Contract:
    """Return a contract; raises EngineMissing when a library that it needs is not installed."""
    made: Contract = import_module(f"{__name__}.{CONTRACTS[name]}").contract()
    return made
