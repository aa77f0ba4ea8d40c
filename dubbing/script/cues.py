"""A strict screening of the cues of SRT and WebVTT, before a lenient parser reads them.

pysubs2 parses what it recognises and misreads the rest without an error: it skips a time line that
it cannot read and a line of figures at the end of a cue, and takes a note or an identifier of
WebVTT for speech. This module, `subrip` and `webvtt` account for every line of a file, or refuse it
by its number, and rewrite the cues in the plain form that pysubs2 reads without loss.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pysubs2
from pysubs2.formats import autodetect_format

from dubbing.documents import made_of
from dubbing.errors import BadInput
from dubbing.job.caution import Caution

MOST = 200_000
"""Most cues in a file; a day of unbroken talk has fewer."""
LONGEST = 20_000
"""Most characters in a cue, with its markup."""
MOST_HOURS = 9999
"""Most hours that pysubs2 reads; the check of a job refuses far shorter times."""

ARROW = "-->"
VALID = "00:01:02.500 --> 00:01:04.000"
INLINE_TIME = re.compile(r"<(?:\d+:)?\d+:\d\d[.,]\d+>")
"""The time at which a word of a WebVTT cue lights up."""
STRAY_TIME = re.compile(
    r"\s*-?(?:\d+:)?\d+:\d\d[.,]\d"
    r"|.*\d:\d\d[.,]\d.*\d:\d\d[.,]\d"
    r"|\s*\d+:\d\d:\d\d\s*[<>=~–—→-]+\s*\d+:\d\d:\d\d\s*$"
)
"""A malformed time line: text that begins with a time, holds two times, or consists of two."""
NUMBER = re.compile(r"\s*\d{1,9}\s*")
ODD_NUMBER = re.compile(r"[#№(\[]?\s*(\d{1,9})\s*[.):\]]?")
"""A cue's number without spaces around it, perhaps with a sign: ``1``, ``1.``, ``#1``."""


@dataclass(kw_only=True)
class Cue:
    """One cue as written in the file."""

    line: int
    """Number of the line that holds its times; 0 for the text above the first cue."""
    timing: str = ""
    text: list[str] = field(default_factory=list)
    """Lines as written, with blank lines."""


@dataclass(frozen=True, kw_only=True)
class Screened:
    """A file rewritten so that pysubs2 cannot misread it."""

    text: str
    lines: tuple[int, ...]
    """For each cue, in order, the number of the line that holds its times."""
    faults: tuple[BadInput, ...] = ()
    """Those of the cues that cannot be read, which are left out."""
    cautions: tuple[Caution, ...] = ()


def screened(
    cues: Sequence[Cue], times: re.Pattern[str], path: Path, cautions: Sequence[Caution]
) -> Screened:
    """Return cues in the form that pysubs2 reads as SRT and as WebVTT, and the faults of others.

    times: matches a time line; its groups are the hours, minutes, seconds and fraction of each
    time.
    """

    def block(numbered: tuple[int, Cue]) -> tuple[int, str]:
        number, cue = numbered
        _check_text(cue, path)
        kept = [INLINE_TIME.sub("", line) for line in cue.text if line.strip()]
        return cue.line, "\n".join([str(number), _times(cue, times, path), *kept, "", ""])

    blocks, faults = made_of(block, enumerate(cues, 1))
    return Screened(
        # A number after the last cue, because pysubs2 removes one there even if it is spoken.
        text="".join([*(text for _, text in blocks), f"{len(cues) + 1}\n"]),
        lines=tuple(line for line, _ in blocks),
        faults=tuple(faults),
        cautions=tuple(cautions),
    )


def check_count(found: int, path: Path) -> None:
    """Raise BadInput when a file has more cues than any programme."""
    if found > MOST:
        raise BadInput(f"it has {found} cues, more than {MOST}: cut it in parts", where=str(path))


def at_line(path: Path, line: int) -> str:
    """Return the name of a file's line for errors."""
    return f"{path}, line {line}"


def no_cue(text: str, format_: str) -> str:
    """Return the message for a file that holds no cue of its format."""
    return f"it holds no cue; {other_format(text, format_) or f'is it really a .{format_} file?'}"


def other_format(text: str, format_: str) -> str:
    """Return a hint at the format that ``text`` seems to have instead; empty for none."""
    try:
        found = autodetect_format(text)
    except pysubs2.FormatAutodetectionError:
        return ""
    return "" if found == format_ else f"it looks like {found}: name it .{found}, or convert it"


def take_number(
    cues: Sequence[Cue], number: int | None, path: Path, cautions: list[Caution]
) -> int | None:
    """Remove the next cue's number from the end of the last cue's text, and return the number.

    number: number of the last cue; None if the file gives none.

    Figures are a number if they continue the count, if they follow a blank line, or, in a file that
    numbers its cues, if they stand directly above the times. Other figures are spoken.
    """
    text = cues[-1].text
    end = len(text)
    while end and not text[end - 1].strip():
        end -= 1
    found = ODD_NUMBER.fullmatch(text[end - 1].strip()) if end else None
    if not found:
        return None
    line, at = text[end - 1], cues[-1].line + end
    directly, below = end == len(text), end > 1
    apart = below and not text[end - 2].strip()
    due = int(found[1]) == (len(cues) if number is None else number + 1)
    expected = len(cues) == 1 or (directly and (due or apart)) or (due and apart)
    if expected and directly:
        check_odd_number(line, at_line(path, at))
    numbered = directly and below and number is not None
    if not NUMBER.fullmatch(line) or not (expected or numbered):
        return None
    if not expected:
        message = f"line {at}: {line.strip()!r} above the times is a cue number: it is not spoken"
        cautions.append(Caution(code="number", segment=None, message=message))
    del text[end - 1 :]
    return int(found[1])


def check_odd_number(line: str, where: str) -> None:
    """Raise BadInput for a cue's number that has signs besides its figures."""
    if (found := ODD_NUMBER.fullmatch(line.strip())) and not NUMBER.fullmatch(line):
        raise BadInput(f"{line.strip()!r} is not a cue number: write {found[1]}", where=where)


def check_stray(line: str, where: str) -> None:
    """Raise BadInput for a line of text that seems to be a malformed time line."""
    if STRAY_TIME.match(line):
        raise BadInput(
            f"{line.strip()[:60]!r} looks like times gone wrong: write {VALID}", where=where
        )


def _times(cue: Cue, times: re.Pattern[str], path: Path) -> str:
    """Return the cue's time line in a uniform form, with milliseconds after a point."""
    match = times.fullmatch(cue.timing)
    if not match or max(int(match[1] or 0), int(match[5] or 0)) > MOST_HOURS:
        raise BadInput(
            f"{cue.timing.strip()[:60]!r} are not valid times: write {VALID}",
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
        check_stray(INLINE_TIME.sub("", line), at_line(path, number))
