"""The cues of WebVTT files, by the rules of its parser; lines that these ignore are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dubbing.errors import BadInput
from dubbing.job.caution import Caution
from dubbing.script.cues import (
    ARROW,
    NUMBER,
    Cue,
    Screened,
    at_line,
    check_count,
    check_stray,
    no_cue,
    other_format,
    screened,
    take_number,
)

TIME = r"(?:(\d{1,20}):)?([0-5]\d):([0-5]\d)[.,](\d{3})"
TIMES = re.compile(rf"\s*{TIME}\s*-->\s*{TIME}(?:\s.*)?")
"""Two times, and settings, which are ignored."""
HEADER = re.compile(r"WEBVTT(?:[ \t].*)?")
COMMENT = re.compile(r"(NOTE|STYLE|REGION)\b")


def screen_webvtt(text: str, path: Path) -> Screened:
    """Return the cues of a WebVTT file.

    Raises BadInput that names the first line that belongs nowhere, or when there are no cues or
    more than 200,000.
    """
    check_count(text.count(ARROW), path)
    cautions: list[Caution] = []
    cues = _cues(text.replace("\0", "\ufffd").split("\n"), path, cautions)
    if not cues:
        raise BadInput(no_cue(text, "vtt"), where=str(path))
    return screened(cues, TIMES, path, cautions)


def _cues(lines: Sequence[str], path: Path, cautions: list[Caution]) -> list[Cue]:
    """Return the cues that WebVTT's rules find; refuse the lines that the rules ignore."""
    cues = [Cue(line=0)]
    blocks = list(_blocks(lines, _header(lines, path)))
    number: int | None = None
    below = 0
    for index, (first, block) in enumerate(blocks):
        at = next((at for at, line in enumerate(block) if ARROW in line), None)
        if at is None:
            following = blocks[index + 1][1] if index + 1 < len(blocks) else [""]
            _check_no_cue(first, block, following, path)
            below = first + len(block)
            continue
        if len(cues) > 1 and cues[-1].line + len(cues[-1].text) + 1 == first:
            number = take_number(cues, number, path, cautions)
        else:
            number = int(block[0]) if at and NUMBER.fullmatch(block[0]) else None
        if first == below or (at and COMMENT.match(block[0])):
            message = f"line {first + at}: no blank line ends the note above: this cue is spoken"
            cautions.append(Caution(code="comment", segment=None, message=message))
        cues.append(Cue(line=first + at, timing=block[at], text=block[at + 1 :]))
    return cues[1:]


def _header(lines: Sequence[str], path: Path) -> int:
    """Return the index of the first line below the header."""
    if not HEADER.fullmatch(lines[0]):
        hint = other_format("\n".join(lines), "vtt")
        raise BadInput(
            f"a .vtt file begins with WEBVTT{'; ' if hint else ''}{hint}", where=at_line(path, 1)
        )
    if ARROW in lines[0]:
        raise BadInput(
            "the cue is on the line of WEBVTT: put it below, after a blank line",
            where=at_line(path, 1),
        )
    return next(
        (at for at, line in enumerate(lines) if at and (not line or ARROW in line)), len(lines)
    )


def _blocks(lines: Sequence[str], start: int) -> Iterator[tuple[int, list[str]]]:
    """Yield WebVTT's blocks below the header, each with the number of its first line.

    An empty line ends a block. So does a line with an arrow, unless it is the block's own time
    line: the first arrow, in the first or second line.
    """
    block: list[str] = []
    first = start
    for at, line in enumerate(lines[start:], start + 1):
        may_hold_times = len(block) == 1 and ARROW not in block[0]
        if block and (not line or (ARROW in line and not may_hold_times)):
            yield first, block
            block = []
        if line:
            first = first if block else at
            block.append(line)
    if block:
        yield first, block


def _check_no_cue(first: int, block: Sequence[str], following: Sequence[str], path: Path) -> None:
    """Raise BadInput for a block of words that has no times and is not a comment."""
    if COMMENT.match(block[0]):
        return
    if len(block) == 1 and NUMBER.fullmatch(block[0]) and ARROW in following[0]:
        return
    for at, line in enumerate(block, first):
        check_stray(line, at_line(path, at))
    raise BadInput(
        "this belongs to no cue: give it times, or set NOTE above it", where=at_line(path, first)
    )
