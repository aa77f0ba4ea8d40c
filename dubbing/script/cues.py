"""The cues of a subtitle file, found strictly, before a lenient parser reads them.

pysubs2 takes what it recognises and passes over the rest: a timing line that it cannot read, a
line of figures at the end of a cue, a note or an identifier of WebVTT that it takes for speech.
Here every line of the file is accounted for, or refused by its number, and the cues are written
anew in the plain form that pysubs2 reads without loss.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from dubbing.errors import BadInput

MOST = 200_000
"""Cues; a day of unbroken talk has fewer."""
LONGEST = 20_000
"""Characters a cue with its markup."""

SRT_TIME = r"\d{1,2}:[0-5]?\d:[0-5]?\d[.,]\d{1,3}"
VTT_TIME = r"(?:\d{1,4}:)?[0-5]\d:[0-5]\d[.,]\d{3}"
TIMINGS = {
    "srt": re.compile(rf"\s*({SRT_TIME})\s*-->\s*({SRT_TIME})(?:\s.*)?"),
    "vtt": re.compile(rf"\s*({VTT_TIME})\s*-->\s*({VTT_TIME})(?:\s.*)?"),
}
"""Two times, and positions that are passed over."""
INLINE_TIME = re.compile(r"<(?:\d+:)?\d+:\d\d[.,]\d+>")
"""When a word of a WebVTT cue lights up."""
STRAY_TIME = re.compile(r"\s*-?(?:\d+:)?\d+:\d\d[.,]\d|.*\d:\d\d[.,]\d.*\d:\d\d[.,]\d")
"""A line of text that begins with a time, or holds two: a timing line gone wrong."""
NUMBER = re.compile(r"\s*\d+\s*")
COMMENTS = ("NOTE", "STYLE", "REGION")

ASS_TIME = r"\s*\d{1,2}:[0-5]\d:[0-5]\d\.\d{1,3}\s*"
DIALOGUE = re.compile(
    rf"Dialogue:[^,]*,(?P<times>{ASS_TIME},{ASS_TIME}),[^,]*,(?P<name>[^,]*),"
    r"(?:[^,]*,){4}(?P<text>.*)"
)
SECTION = re.compile(r"\[[\w +]+\]")
FORMAT = re.compile(r"(layer|marked),start,end,style,(name|actor),.*,text")


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


def screen(text: str, format_: str, path: Path) -> Screened:
    """Return the cues of ``text``, in ``format_`` ``srt``, ``vtt`` or ``ass``.

    Raises BadInput that names the first line which cannot be placed, or when there are more than
    200,000 cues or none.
    """
    found = text.count("Dialogue:" if format_ == "ass" else "-->")
    if found > MOST:
        raise BadInput(f"it has {found} cues, more than {MOST}: cut it in parts", where=str(path))
    lines = text.split("\n")
    screened = _ass(lines, path) if format_ == "ass" else _timed(lines, format_, path)
    if not screened.lines:
        raise BadInput(f"it holds no cue; is it really a .{format_} file?", where=str(path))
    return screened


def at_line(path: Path, line: int) -> str:
    """Return how a line of a file is named in errors."""
    return f"{path}, line {line}"


def _timed(lines: list[str], format_: str, path: Path) -> Screened:
    """Screen SRT or WebVTT."""
    cues = _srt(lines, path) if format_ == "srt" else _vtt(lines, path)
    blocks = []
    for number, cue in enumerate(cues, 1):
        kept = [INLINE_TIME.sub("", line) for line in cue.text if line.strip()]
        _check_text(cue, path)
        blocks.append("\n".join([str(number), _times(cue, format_, path), *kept, "", ""]))
    # A number after the last cue, as pysubs2 takes one away there even if it is spoken.
    return Screened(
        text="".join([*blocks, f"{len(cues) + 1}\n"]), lines=tuple(cue.line for cue in cues)
    )


def _srt(lines: list[str], path: Path) -> list[Cue]:
    cues: list[Cue] = []
    for number, line in enumerate(lines, 1):
        if "-->" in line:
            if cues and _ends_in_number(cues[-1].text, len(cues) + 1):
                cues[-1].text.pop()
            cues.append(Cue(line=number, timing=line))
        elif cues:
            cues[-1].text.append(line)
        elif line.strip() and not NUMBER.fullmatch(line):
            raise BadInput("text stands before the first cue", where=at_line(path, number))
    return cues


def _ends_in_number(text: list[str], following: int) -> bool:
    """Whether the last line is the number of the cue that follows, and nothing to speak."""
    if not text or not NUMBER.fullmatch(text[-1]):
        return False
    above = text[-2].strip() if len(text) > 1 else "speech"
    return not above or int(text[-1]) == following


def _vtt(lines: list[str], path: Path) -> list[Cue]:
    if not lines[0].startswith("WEBVTT"):
        raise BadInput("a .vtt file begins with WEBVTT", where=at_line(path, 1))
    cues: list[Cue] = []
    for first, block in _blocks(lines)[1:]:
        timed = [index for index, line in enumerate(block) if "-->" in line]
        if not timed and block[0].split()[0] in COMMENTS:
            continue
        if not timed or timed[0] > 1:
            raise BadInput(
                "this belongs to no cue: give it times, or set NOTE above it",
                where=at_line(path, first),
            )
        if len(timed) > 1:
            raise BadInput(
                "leave a blank line above this cue", where=at_line(path, first + timed[1])
            )
        at = timed[0]
        cues.append(Cue(line=first + at, timing=block[at], text=block[at + 1 :]))
    return cues


def _blocks(lines: list[str]) -> list[tuple[int, list[str]]]:
    """Return runs of lines that are not blank, each with its first line's number."""
    blocks: list[tuple[int, list[str]]] = []
    above = ""
    for number, line in enumerate(lines, 1):
        if line.strip():
            if not above.strip():
                blocks.append((number, []))
            blocks[-1][1].append(line)
        above = line
    return blocks


def _times(cue: Cue, format_: str, path: Path) -> str:
    """Return the cue's two times, milliseconds after a point."""
    match = TIMINGS[format_].fullmatch(cue.timing)
    if not match:
        raise BadInput(
            f"{cue.timing.strip()[:60]!r} are no times: write 00:01:02.500 --> 00:01:04.000",
            where=at_line(path, cue.line),
        )
    return f"{match[1]} --> {match[2]}".replace(",", ".")


def _check_text(cue: Cue, path: Path) -> None:
    if (length := sum(map(len, cue.text))) > LONGEST:
        raise BadInput(
            f"the cue has {length} characters, more than {LONGEST}: is the file damaged?",
            where=at_line(path, cue.line),
        )
    for number, line in enumerate(cue.text, cue.line + 1):
        if STRAY_TIME.match(INLINE_TIME.sub("", line)):
            raise BadInput(
                f"{line.strip()[:60]!r} looks like times gone wrong: write "
                "00:01:02.500 --> 00:01:04.000",
                where=at_line(path, number),
            )


def _ass(lines: list[str], path: Path) -> Screened:
    """Screen ASS; its comments and everything but its events are left out."""
    section = ""
    kept = ["[Events]"]
    numbers = []
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if SECTION.fullmatch(line):
            section = line.lower()
            continue
        if section != "[events]" and not line.startswith("Dialogue:"):
            continue
        if event := _ass_event(line, section, at_line(path, number)):
            kept.append(event)
            numbers.append(number)
    return Screened(text="\n".join(kept), lines=tuple(numbers))


def _ass_event(line: str, section: str, where: str) -> str | None:
    """Return a spoken line in pysubs2's order of fields, or None for a comment."""
    if section != "[events]":
        raise BadInput("this line stands outside of [Events]", where=where)
    if not line or line.startswith((";", "Comment:")):
        return None
    if line.startswith("Format:"):
        if not FORMAT.fullmatch(re.sub(r"\s", "", line.removeprefix("Format:")).lower()):
            raise BadInput(
                "the fields stand in an unusual order: save the file again with Aegisub",
                where=where,
            )
        return None
    event = DIALOGUE.fullmatch(line)
    if not event:
        raise BadInput(
            f"{line[:60]!r} is neither a comment nor "
            "Dialogue: layer,0:00:00.00,0:00:00.00,style,name,0,0,0,effect,text",
            where=where,
        )
    if len(line) > LONGEST:
        raise BadInput(f"the cue has more than {LONGEST} characters", where=where)
    return f"Dialogue: 0,{event['times']},Default,{event['name']},0,0,0,,{event['text']}"
