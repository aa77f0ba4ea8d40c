"""A strict screening of the events of ASS and SSA files, before a lenient parser reads them.

pysubs2 reads the fields of an event in a fixed order, whatever order the file declares, and skips
the lines that it does not know. This module accounts for every line of ``[Events]``, or refuses it
by its number, and rewrites the spoken events in the order that pysubs2 reads.
"""

from __future__ import annotations

import re
from pathlib import Path

from dubbing.documents import made_of
from dubbing.errors import BadInput
from dubbing.script.cues import LONGEST, Screened, at_line, check_count, no_cue

SECTION = re.compile(r"\[[\w +]+\]")
FIELDS = [
    "layer",
    "start",
    "end",
    "style",
    "name",
    "marginl",
    "marginr",
    "marginv",
    "effect",
    "text",
]
"""Fields of an event, unless a ``Format:`` line gives others."""
TIME = re.compile(r"\d{1,2}:[0-5]\d:[0-5]\d\.\d{1,3}")
UNSPOKEN = (";", "Comment:", "Picture:", "Sound:", "Movie:", "Command:")
"""Beginnings of lines of ``[Events]`` that are not spoken."""


def screen_substation(text: str, path: Path) -> Screened:
    """Return the spoken events of ``text``, and the faults of those that cannot be read.

    Raises BadInput that names the first line that belongs nowhere, or when there are no events or
    more than 200,000.
    """
    check_count(text.count("Dialogue:"), path)
    section, fields = "", FIELDS
    events: list[tuple[int, str, list[str]]] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line, where = raw.strip(), at_line(path, number)
        if SECTION.fullmatch(line):
            section = line.lower()
        elif section != "[events]":
            if line.startswith("Dialogue:"):
                raise BadInput("this line stands outside of [Events]", where=where)
        elif line.startswith("Format:"):
            fields = _fields(line, where)
        elif line and not line.startswith(UNSPOKEN):
            events.append((number, line, fields))
    if not events:
        raise BadInput(no_cue(text, "ass"), where=str(path))
    kept, faults = made_of(lambda event: _event(*event, path), events)
    return Screened(
        text="\n".join(["[Events]", *(line for _, line in kept)]),
        lines=tuple(number for number, _ in kept),
        faults=tuple(faults),
    )


def _fields(line: str, where: str) -> list[str]:
    """Return the names of an event's fields, in lower case; SSA's actor is ASS's name."""
    fields = [name.strip().lower() for name in line.removeprefix("Format:").split(",")]
    if not {"start", "end"} <= set(fields) or fields[-1] != "text":
        raise BadInput("name Start and End among the fields, and Text as the last", where=where)
    return ["name" if name == "actor" else name for name in fields]


def _event(number: int, line: str, fields: list[str], path: Path) -> tuple[int, str]:
    """Return a spoken event in pysubs2's order of fields, after the number of its line."""
    where = at_line(path, number)
    kind, _, rest = line.partition(":")
    event = dict(zip(fields, rest.split(",", len(fields) - 1), strict=False))
    start, end = (event.get(name, "").strip() for name in ("start", "end"))
    whole = kind == "Dialogue" and "text" in event
    if not (whole and TIME.fullmatch(start) and TIME.fullmatch(end)):
        raise BadInput(
            f"{line[:60]!r} is neither a comment nor Dialogue: {','.join(fields)} "
            "with times such as 0:00:01.50",
            where=where,
        )
    if len(line) > LONGEST:
        raise BadInput(f"the cue has more than {LONGEST} characters", where=where)
    spoken = f"Dialogue: 0,{start},{end},Default,{event.get('name', '')},0,0,0,,{event['text']}"
    return number, spoken
