"""Parsed captions, and the removal of text that they repeat, before they become segments.

A text that occurs twice at the same time is a subtitle drawn in layers. Roll-up captions, as
YouTube makes them, repeat each row until it leaves the screen. Both are spoken once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dubbing.job.caution import Code

GAP = 500
"""Most milliseconds between a caption and the one that rolls on from it."""
LEAST = 2
"""Least number of captions that carry on from the one before, in a script that rolls up."""
SHOWN = 5
"""Most lines that one note names."""
ROWS = 32
"""Most rows of two captions that are compared; a screen shows fewer."""
LEAST_SHARE = 1 / 3
"""Least share of the captions that repeat the one before, in a script that rolls up."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """A caution about a caption, before the caption has a number."""

    code: Code
    message: str


@dataclass(frozen=True, kw_only=True)
class Caption:
    """One cue or event, without its markup."""

    line: int
    """Number of the file's line that holds its times."""
    start: int
    """Milliseconds."""
    end: int
    """Milliseconds."""
    speaker: str = ""
    """Empty if neither a tag nor a field names the speaker."""
    lines: tuple[str, ...]
    notes: tuple[Note, ...] = ()

    def noted(self, code: Code, message: str) -> Caption:
        """Return a copy of this caption with one more note."""
        return replace(self, notes=(*self.notes, Note(code=code, message=message)))


def said_once(captions: Sequence[Caption]) -> list[Caption]:
    """Return the captions without those that repeat another caption's text at the same time.

    Two named speakers may say the same text; a caption without a speaker is a repetition.
    """
    kept: list[Caption] = []
    repeats: dict[int, list[Caption]] = defaultdict(list)
    # The places of the kept captions, by time and text, and then by speaker, the first of each.
    places: dict[tuple[int, int, str], dict[str, int]] = defaultdict(dict)
    for caption in captions:
        same = places[caption.start, caption.end, _words(caption)]
        twin = _twin(same, caption.speaker)
        if twin is None or not caption.lines:
            same.setdefault(caption.speaker, len(kept))
            kept.append(caption)
            continue
        if caption.speaker and "" in same:
            same[caption.speaker] = same.pop("")
            kept[twin] = replace(kept[twin], speaker=caption.speaker)
        repeats[twin].append(caption)
    for at, others in repeats.items():
        kept[at] = kept[at].noted("duplicate", _repetition(others))
    return kept


def _twin(same: Mapping[str, int], speaker: str) -> int | None:
    """Return the place of the caption that one of this speaker repeats.

    same: the places of the captions with its text and times, by speaker; a caption without a
    speaker is the only one.
    """
    if not speaker or "" in same:
        return next(iter(same.values()), None)
    return same.get(speaker)


def _repetition(others: Sequence[Caption]) -> str:
    lines = [str(one.line) for one in others]
    if len(lines) == 1:
        return f"line {lines[0]} has the same text at the same time: it is spoken once"
    more = ", …" if len(lines) > SHOWN else ""
    shown = ", ".join(lines[:SHOWN])
    return f"lines {shown}{more} have the same text at the same time: it is spoken once"


def unrolled(captions: Sequence[Caption]) -> Sequence[Caption]:
    """Return roll-up captions with each row once, and other captions unchanged.

    A row keeps the times of the caption in which it first appears. A row that grows word by word
    becomes one whole row, which starts with its first word.
    """
    return _rows_once(_grown(captions))


def _rows_once(captions: Sequence[Caption]) -> Sequence[Caption]:
    """Return the captions without the rows that repeat the end of the caption before them."""
    repeats = [0, *(_repeated(before, caption) for before, caption in pairwise(captions))]
    added = sum(0 < n < len(one.lines) for n, one in zip(repeats, captions, strict=False))
    if added < LEAST or sum(map(bool, repeats)) < LEAST_SHARE * (len(captions) - 1):
        return captions
    return [
        replace(caption, lines=caption.lines[repeat:])
        for repeat, caption in zip(repeats, captions, strict=True)
        if not repeat or repeat < len(caption.lines)
    ]


def _grown(captions: Sequence[Caption]) -> Sequence[Caption]:
    """Return the captions with each run of captions that grow replaced by its last one."""
    grows = [_grows(before, caption) for before, caption in pairwise(captions)]
    if sum(grows) < LEAST or sum(grows) < LEAST_SHARE * len(grows):
        return captions
    whole: list[Caption] = []
    for caption, carries_on in zip(captions, [False, *grows], strict=True):
        if carries_on:
            whole[-1] = replace(caption, start=whole[-1].start)
        else:
            whole.append(caption)
    return whole


def _repeated(before: Caption, caption: Caption) -> int:
    """Return how many rows at the beginning of a caption repeat the end of the one before it."""
    shown, now = _rows(before), _rows(caption)
    most = min(len(shown), len(now), ROWS) if _follows(before, caption) else 0
    return next((many for many in range(most, 0, -1) if shown[-many:] == now[:many]), 0)


def _grows(before: Caption, caption: Caption) -> bool:
    """Whether a caption repeats the one before it, with more words in the last row."""
    shown, now = _rows(before), _rows(caption)
    if not (shown and _follows(before, caption) and len(shown) == len(now)):
        return False
    return shown[:-1] == now[:-1] and now[-1].startswith(f"{shown[-1]} ")


def _follows(before: Caption, caption: Caption) -> bool:
    return before.speaker == caption.speaker and before.start < caption.start <= before.end + GAP


def _words(caption: Caption) -> str:
    return " ".join(_rows(caption))


def _rows(caption: Caption) -> list[str]:
    return [" ".join(line.split()) for line in caption.lines]
