"""The cues of SRT files.

SRT has no standard. Where ffmpeg and pysubs2 agree on how to read a file, it is read that way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
    check_odd_number,
    check_stray,
    no_cue,
    other_format,
    screened,
    take_number,
)

TIME = r"(\d{1,2})\s*:\s*([0-5]?\d)\s*:\s*([0-5]?\d)(?:\s*[.,]\s*(\d{1,3}))?"
TIMES = re.compile(rf"\s*{TIME}\s*-->\s*{TIME}(?:\s+[^\d\s].*)?\s*")
"""Two times, and positions, which are ignored."""
TEXT_WITH_ARROW = re.compile(r"(?!.*\d:\d)(?=.*[^\W\d_]).*")
"""A line of words with an arrow in it: ``File --> Open``."""


def screen_subrip(text: str, path: Path) -> Screened:
    """Return the cues of an SRT file.

    Raises BadInput that names the first line that belongs nowhere, or when there are no cues or
    more than 200,000.
    """
    check_count(text.count(ARROW), path)
    cautions: list[Caution] = []
    # Concatenated files have a byte order mark at the beginning of each part.
    cues = _cues(text.replace("\ufeff", "").split("\n"), path, cautions)
    if not cues:
        raise BadInput(no_cue(text, "srt"), where=str(path))
    return screened(cues, TIMES, path, cautions)


def _cues(lines: Sequence[str], path: Path, cautions: list[Caution]) -> list[Cue]:
    above = Cue(line=0)
    cues = [above]
    number: int | None = None
    for at, line in enumerate(lines, 1):
        if ARROW in line and not TEXT_WITH_ARROW.fullmatch(line):
            number = take_number(cues, number, path, cautions)
            cues.append(Cue(line=at, timing=line))
        else:
            cues[-1].text.append(line)
    _check_above(above, lines, path)
    return cues[1:]


def _check_above(above: Cue, lines: Sequence[str], path: Path) -> None:
    """Raise BadInput for the first line of text above the first cue of an SRT file."""
    for at, line in enumerate(above.text, 1):
        if not line.strip() or NUMBER.fullmatch(line):
            continue
        where = at_line(path, at)
        if hint := other_format("\n".join(lines), "srt"):
            raise BadInput(f"this is not SRT: {hint}", where=where)
        check_stray(line, where)
        check_odd_number(line, where)
        raise BadInput("text stands before the first cue: give it times, or remove it", where=where)
