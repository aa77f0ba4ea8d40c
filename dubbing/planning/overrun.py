"""The message about a line that is too long, before it is spoken and afterwards.

It is for translators, so it gives the surplus characters and the length of the text.
"""

from __future__ import annotations

import math


def characters_over(text: str, seconds: float, room: float) -> int:
    """Return the number of characters by which a text is too long; 0 when it fits.

    seconds: its duration at the highest rate. room: the seconds available to it.
    """
    # Less than a hundredth of a character is rounding error.
    return max(0, math.ceil(len(text) * (1 - max(room, 0.0) / seconds) - 0.01))


def words_of(text: str, seconds: float, room: float) -> str:
    """Return the surplus of a text as words that follow "runs"; arguments as `characters_over`."""
    room = max(room, 0.0)
    over = characters_over(text, seconds, room)
    return (
        f"{seconds - room:.2f} s over its {room:.2f} s: "
        f"about {over} of its {len(text)} characters are too many"
    )
