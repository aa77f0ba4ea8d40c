"""The cues of SRT and WebVTT files, found strictly, before a lenient parser reads them.

pysubs2 takes what it recognises and passes over the rest: a time line that it cannot read, a
line of figures at the end of a cue, a note or an identifier of WebVTT that it takes for speech.
Here every line of the file is accounted for, or refused by its number, and the cues are written
anew in the plain form that pysubs2 reads without loss.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pysubs2
from pysubs2.formats import autodetect_format

from dubbing.errors import BadInput
from dubbing.job.caution import Caution

MOST = 200_000
"""Cues; a day of unbroken talk has fewer."""
LONGEST = 20_000
"""Characters a cue with its markup."""

ARROW = "-->"
VALID = "00:01:02.500 --> 00:01:04.000"
SRT_TIME = r"(\d{1,2})\s*:\s*([0-5]?\d)\s*:\s*([0-5]?\d)(?:\s*[.,]\s*(\d{1,3}))?"
VTT_TIME = r"(?:(\d+):)?([0-5]\d):([0-5]\d)[.,](\d{3})"
TIMES = {
    "srt": re.compile(rf"\s*{SRT_TIME}\s*-->\s*{SRT_TIME}(?:\s+\D.*)?\s*"),
    "vtt": re.compile(rf"\s*{VTT_TIME}\s*-->\s*{VTT_TIME}(?:\s.*)?"),
}
"""Two times, and positions that are passed over."""
MOST_HOURS = 9999
"""Hours that pysubs2 reads; the job's check refuses far fewer."""
INLINE_TIME = re.compile(r"<(?:\d+:)?\d+:\d\d[.,]\d+>")
"""When a word of a WebVTT cue lights up."""
STRAY_TIME = re.compile(
    r"\s*-?(?:\d+:)?\d+:\d\d[.,]\d"
    r"|.*\d:\d\d[.,]\d.*\d:\d\d[.,]\d"
    r"|\s*\d+:\d\d:\d\d\s*[<>=~–—→-]+\s*\d+:\d\d:\d\d\s*$"
)
"""A line of text that begins with a time, holds two, or is two: a time line gone wrong."""
NUMBER = re.compile(r"\s*\d+\s*")
ODD_NUMBER = re.compile(r"\s*[#№(\[]?\s*(\d+)\s*[.):\]]?\s*")
"""Figures with a sign before or after them, where a cue's number stands: ``1.``, ``#1``."""
TEXT_WITH_ARROW = re.compile(r"(?!.*\d:\d)(?=.*[^\W\d_]).*")
"""A line with an arrow in it that is words: ``File --> Open``."""
HEADER = re.compile(r"WEBVTT(?:[ \t].*)?")
COMMENT = re.compile(r"(NOTE|STYLE|REGION)\b")


@dataclass(kw_only=True)
class Cue:
    """One cue as it stands in the file."""

    line: int
    """Number of the line that holds its times."""
    timing: str
    text: list[str] = field(default_factory=list)
    """Lines as they stand, blank ones too."""


@dataclass(frozen=True, kw_only=True)
class Screened:
    """A file without anything that pysubs2 could take amiss."""

    text: str
    lines: tuple[int, ...]
    """For each cue, in order, the number of the line that holds its times."""
    cautions: tuple[Caution, ...] = ()


def screen_cues(text: str, format_: Literal["srt", "vtt"], path: Path) -> Screened:
    """Return the cues of ``text``.

    Raises BadInput that names the first line which cannot be placed, or when there are more than
    200,000 cues or none.
    """
    check_count(text.count(ARROW), path)
    if format_ == "vtt":
        # So WebVTT has it.
        text = text.replace("\0", "\ufffd")
    lines = text.split("\n")
    cautions: list[Caution] = []
    read = _srt if format_ == "srt" else _vtt
    cues = read(lines, path, cautions)
    if not cues:
        raise BadInput(no_cue(text, format_), where=str(path))
    blocks = []
    for number, cue in enumerate(cues, 1):
        kept = [INLINE_TIME.sub("", line) for line in cue.text if line.strip()]
        _check_text(cue, path)
        blocks.append("\n".join([str(number), _times(cue, format_, path), *kept, "", ""]))
    return Screened(
        # A number after the last cue, as pysubs2 takes one away there even if it is spoken.
        text="".join([*blocks, f"{len(cues) + 1}\n"]),
        lines=tuple(cue.line for cue in cues),
        cautions=tuple(cautions),
    )


def check_count(found: int, path: Path) -> None:
    """Raise BadInput when a file has more cues than any programme."""
    if found > MOST:
        raise BadInput(f"it has {found} cues, more than {MOST}: cut it in parts", where=str(path))


def at_line(path: Path, line: int) -> str:
    """Return how a line of a file is named in errors."""
    return f"{path}, line {line}"


def no_cue(text: str, format_: str) -> str:
    """Return what is wrong with a file that holds no cue of its format."""
    return f"it holds no cue; {_other_format(text, format_) or f'is it really a .{format_} file?'}"


def _other_format(text: str, format_: str) -> str:
    """Return words for the format that ``text`` seems to be in instead, if any."""
    try:
        found = autodetect_format(text)
    except pysubs2.FormatAutodetectionError:
        return ""
    return "" if found == format_ else f"it looks like {found}: name it .{found}, or convert it"


def _srt(lines: Sequence[str], path: Path, cautions: list[Caution]) -> list[Cue]:
    above = Cue(line=0, timing="")
    cues = [above]
    number: int | None = None
    for at, line in enumerate(lines, 1):
        if ARROW in line and not TEXT_WITH_ARROW.fullmatch(line):
            number = _take_number(cues, number, path, cautions)
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
        if hint := _other_format("\n".join(lines), "srt"):
            raise BadInput(f"this is no SRT: {hint}", where=where)
        _check_stray(line, where)
        _check_odd_number(line, where)
        raise BadInput("text stands before the first cue: give it times, or remove it", where=where)


def _take_number(
    cues: Sequence[Cue], number: int | None, path: Path, cautions: list[Caution]
) -> int | None:
    """Take the number of the cue that follows off the end of the last one's text, and return it.

    number: that of the last cue, where the file gives one.

    It is a number that follows the last one, or stands below a blank line, or, in a file that
    numbers its cues, directly above the times. Figures are spoken otherwise.
    """
    text = cues[-1].text
    end = len(text)
    while end and not text[end - 1].strip():
        end -= 1
    if not end:
        return None
    last, at = text[end - 1], cues[-1].line + end
    first = len(cues) == 1
    directly = end == len(text)
    apart = end > 1 and not text[end - 2].strip()
    found = ODD_NUMBER.fullmatch(last)
    if not found:
        return None
    value = int(found[1])
    due = value == (len(cues) if number is None else number + 1)
    if not (first or due or (directly and (apart or (number is not None and end > 1)))):
        return None
    if not NUMBER.fullmatch(last):
        if directly and (first or due or apart):
            _check_odd_number(last, at_line(path, at))
        return None
    if not (first or due or apart):
        message = f"line {at}: {last.strip()!r} above the times is a cue's number: it is not spoken"
        cautions.append(Caution(code="number", segment=None, message=message))
    del text[end - 1 :]
    return value


def _check_odd_number(line: str, where: str) -> None:
    if (found := ODD_NUMBER.fullmatch(line)) and not NUMBER.fullmatch(line):
        raise BadInput(f"{line.strip()!r} is no cue's number: write {found[1]}", where=where)


def _vtt(lines: Sequence[str], path: Path, cautions: list[Caution]) -> list[Cue]:
    """Return the cues that WebVTT's rules find; refuse what they pass over."""
    cues = [Cue(line=0, timing="")]
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
            number = _take_number(cues, number, path, cautions)
        else:
            number = int(block[0]) if at and NUMBER.fullmatch(block[0]) else None
        if first == below or (at and COMMENT.match(block[0])):
            message = f"line {first + at}: a note without a blank line below it: its cue is spoken"
            cautions.append(Caution(code="comment", segment=None, message=message))
        cues.append(Cue(line=first + at, timing=block[at], text=block[at + 1 :]))
    return cues[1:]


def _header(lines: Sequence[str], path: Path) -> int:
    """Return the index of the first line below the header."""
    if not HEADER.fullmatch(lines[0]):
        hint = _other_format("\n".join(lines), "vtt")
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

    An empty line ends a block, and so does an arrow, unless it belongs to the block's own times:
    the first in its first or second line.
    """
    block: list[str] = []
    first = start
    for at, line in enumerate(lines[start:], start + 1):
        own = len(block) == 1 and ARROW not in block[0]
        if block and (not line or (ARROW in line and not own)):
            yield first, block
            block = []
        if line:
            first = first if block else at
            block.append(line)
    if block:
        yield first, block


def _check_no_cue(first: int, block: Sequence[str], following: Sequence[str], path: Path) -> None:
    """Raise BadInput for a block that holds words and no times, and is no comment."""
    if COMMENT.match(block[0]):
        return
    if len(block) == 1 and NUMBER.fullmatch(block[0]) and ARROW in following[0]:
        return
    for at, line in enumerate(block, first):
        _check_stray(line, at_line(path, at))
    raise BadInput(
        "this belongs to no cue: give it times, or set NOTE above it", where=at_line(path, first)
    )


def _times(cue: Cue, format_: str, path: Path) -> str:
    """Return the cue's two times in one form, milliseconds after a point."""
    match = TIMES[format_].fullmatch(cue.timing)
    if not match or max(int(match[1] or 0), int(match[5] or 0)) > MOST_HOURS:
        raise BadInput(
            f"{cue.timing.strip()[:60]!r} are no times: write {VALID}",
            where=at_line(path, cue.line),
        )
    groups = match.groups(default="0")
    return f"{_time(*groups[:4])} {ARROW} {_time(*groups[4:])}"


def _time(hours: str, minutes: str, seconds: str, fraction: str) -> str:
    return f"{int(hours):02}:{int(minutes):02}:{int(seconds):02}.{fraction.ljust(3, '0')}"


def _check_text(cue: Cue, path: Path) -> None:
    if (length := sum(map(len, cue.text))) > LONGEST:
        raise BadInput(
            f"the cue has {length} characters, more than {LONGEST}: is the file damaged?",
            where=at_line(path, cue.line),
        )
    for number, line in enumerate(cue.text, cue.line + 1):
        _check_stray(INLINE_TIME.sub("", line), at_line(path, number))


def _check_stray(line: str, where: str) -> None:
    if STRAY_TIME.match(line):
        raise BadInput(
            f"{line.strip()[:60]!r} looks like times gone wrong: write {VALID}", where=where
        )
