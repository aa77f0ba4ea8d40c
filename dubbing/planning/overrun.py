"""The message for a line that is too long: the same before it is spoken and afterwards.

A translator acts on it, so it gives the surplus characters and the length of the text.
"""

from __future__ import annotations

import math


def characters_over(text: str, seconds: float, room: float) -> int:
    """Return by how many characters a text is too long; 0 when it fits.

    seconds: how long it takes at the highest rate. room: how many seconds it has.
    """
    # Less than a hundredth of a character is rounding error.
    return max(0, math.ceil(len(text) * (1 - max(room, 0.0) / seconds) - 0.01))


def words_of(text: str, seconds: float, room: float) -> str:
    """Return by how much a text is too long, to follow "runs"; arguments as `characters_over`."""
    room = max(room, 0.0)
    over = characters_over(text, seconds, room)
    return (
        f"{seconds - room:.2f} s over its {room:.2f} s: "
        f"about {over} of its {len(text)} characters are too many"
    )
