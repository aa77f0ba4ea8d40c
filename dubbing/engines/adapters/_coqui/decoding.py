"""The number of rows that HiFiGAN and similar vocoder networks decode at once."""

from __future__ import annotations

import sys
from typing import Any

AHEAD = 16
"""Frames of padding after the longest row: more than a decoder's look-ahead, so that the end of a
row does not depend on the other rows."""


def at_once(device: Any, *, on_a_cpu: int = 1, on_a_card: int = sys.maxsize) -> int:
    """Return how many rows to decode together on a torch device.

    On a CPU, many rows would exceed its caches and take longer.
    """
    return on_a_cpu if device.type == "cpu" else on_a_card
