"""Captions as they were parsed, and what is undone in them before they become segments.

A text that stands twice at the same time is a subtitle drawn in layers. Captions that roll up, as
YouTube makes them, repeat each line until it leaves the screen. Both are said once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dubbing.job.caution import Code

GAP = 100
"""Milliseconds between two captions of one that rolls up."""
LEAST_ADDED = 2
"""Captions that repeat the end of the one before and add a line, in a script that rolls up."""
LEAST_SHARE = 1 / 3
"""Share of the captions that repeat the end of the one before, in a script that rolls up."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """What a caution will say of a caption."""

    code: Code
    message: str


@dataclass(frozen=True, kw_only=True)
class Caption:
    """One cue or event, without its markup."""

    line: int
    """Number of the line that holds its times."""
    start: int
    """Milliseconds."""
    end: int
    """Milliseconds."""
    speaker: str = ""
    """Empty where neither a tag nor a field names one."""
    lines: tuple[str, ...]
    notes: tuple[Note, ...] = ()

    def noted(self, code: Code, message: str) -> Caption:
        """Return this caption with one more note."""
        return replace(self, notes=(*self.notes, Note(code=code, message=message)))


def said_once(captions: Sequence[Caption]) -> list[Caption]:
    """Return captions without those that repeat another's text at the same time.

    Two named speakers may say the same; one without a name repeats the other.
    """
    kept: list[Caption] = []
    places: dict[tuple[int, int, str], list[int]] = {}
    for caption in captions:
        same = places.setdefault((caption.start, caption.end, _words(caption.lines)), [])
        twin = next((at for at in same if _one_speaker(kept[at], caption)), None)
        if twin is None or not caption.lines:
            same.append(len(kept))
            kept.append(caption)
            continue
        first = replace(kept[twin], speaker=kept[twin].speaker or caption.speaker)
        message = f"line {caption.line} has the same text at the same time: it is said once"
        kept[twin] = first.noted("duplicate", message)
    return kept


def unrolled(captions: Sequence[Caption]) -> list[Caption] | None:
    """Return captions that roll up with each line said once, where it first appears, or None.

    None is returned when they do not roll up.
    """
    repeats = [0, *(_repeated(before, caption) for before, caption in pairwise(captions))]
    repeating = sum(map(bool, repeats))
    added = sum(
        0 < repeat < len(caption.lines) for repeat, caption in zip(repeats, captions, strict=False)
    )
    if added < LEAST_ADDED or repeating < LEAST_SHARE * (len(captions) - 1):
        return None
    return [
        replace(caption, lines=caption.lines[repeat:])
        for repeat, caption in zip(repeats, captions, strict=True)
        if not repeat or repeat < len(caption.lines)
    ]


def _repeated(before: Caption, caption: Caption) -> int:
    """Return how many lines at the beginning of a caption end the one before it."""
    follows = before.start < caption.start <= before.end + GAP
    if not follows or before.speaker != caption.speaker:
        return 0
    shown, now = (list(map(_spaced, one.lines)) for one in (before, caption))
    most = min(len(shown), len(now))
    return next((many for many in range(most, 0, -1) if shown[-many:] == now[:many]), 0)


def _one_speaker(one: Caption, other: Caption) -> bool:
    return one.speaker == other.speaker or not (one.speaker and other.speaker)


def _words(lines: Sequence[str]) -> str:
    return _spaced(" ".join(lines))


def _spaced(line: str) -> str:
    return " ".join(line.split())
