"""How the networks that make sound, HiFiGANs and their kin, are given many rows at once."""

from __future__ import annotations

import sys
from typing import Any

AHEAD = 16
"""Frames that stand after the longest row: further than a decoder looks ahead, so that the end of
a row does not depend on what is beside it."""


def at_once(device: Any, *, on_a_cpu: int = 1, on_a_card: int = sys.maxsize) -> int:
    """Return how many rows sound together on a device of torch.

    Few on a CPU, whose caches more would overflow: that takes longer.
    """
    return on_a_cpu if device.type == "cpu" else on_a_card
