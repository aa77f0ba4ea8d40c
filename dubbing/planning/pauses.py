"""Shortening of the pauses inside a take: how much they may lose, and the parts to cut."""

from __future__ import annotations

from collections.abc import Sequence

Span = tuple[float, float]
"""Start and end, in seconds of the take."""


def spare(pauses: Sequence[Span], shortest: float) -> float:
    """Return the seconds by which ``pauses`` are longer than ``shortest`` each."""
    return sum(max(0.0, end - start - shortest) for start, end in pauses)


def cuts(pauses: Sequence[Span], shortest: float, seconds: float) -> tuple[Span, ...]:
    """Return the parts of ``pauses`` to cut: ``seconds`` in all, or as much as they can spare.

    Each pause gives the same share of its length above ``shortest``, from its middle.
    """
    if seconds <= 0 or not (most := spare(pauses, shortest)):
        return ()
    share = min(1.0, seconds / most)
    lengths = [share * max(0.0, end - start - shortest) for start, end in pauses]
    return tuple(
        ((start + end - length) / 2, (start + end + length) / 2)
        for (start, end), length in zip(pauses, lengths, strict=True)
        if length
    )
