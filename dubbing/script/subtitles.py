"""Scripts in and subtitles out: SRT, WebVTT and ASS by pysubs2, and segments in JSON."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pysubs2
from pydantic import ValidationError
from pysubs2.formats.substation import parse_tags

from dubbing.documents import parse_json, read_text, validated
from dubbing.errors import BadInput
from dubbing.job import Model, Segment
from dubbing.script.cues import MOST, at_line, screen

SUFFIXES = (".srt", ".vtt", ".ass", ".json")
"""What a script's file name may end in."""

TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^<>]+)>")
"""A voice tag of WebVTT: ``<v Anna>``, ``<v.loud Anna>``."""
ENTITY = re.compile(r"&#?\w+;")
PREFIX = re.compile(r"\s*-?\s*([^\W\d_][\w .'’-]{0,40}?)\s*(?::\s+|：\s*)(\S.*)")
"""``NAME: text``; a time such as 10:30 and a URL have no space after their colon."""


class Script(Model):
    """The JSON form of a script, besides a bare list of segments."""

    segments: tuple[Segment, ...]


def read_script(
    path: Path, *, speaker_prefix: bool = False, encoding: str | None = None
) -> tuple[Segment, ...]:
    """Return the segments of an SRT, VTT, ASS or JSON file, in its order.

    Ids are the cues' numbers in that order, ``"1"`` first; JSON may give its own. Markup and
    positions are left out, lines of one cue are joined, comments and drawings of ASS skipped. A
    cue without words is returned as it is, for the check to name.

    speaker_prefix: take ``NAME: text`` for a line of NAME, where no tag names the speaker.
    encoding: left out, UTF-8, or what a byte order mark says.

    Raises BadInput that names the line.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"a script is one of: {', '.join(SUFFIXES)}", where=str(path))
    text = read_text(path, encoding)
    if suffix == ".json":
        data = read_segments(text, path)
        segments = data if isinstance(data, list) else data.get("segments")
        return validated(Script, {"segments": numbered(segments)}, path).segments
    return _read_cues(text, suffix[1:], path, speaker_prefix)


def read_segments(text: str, path: Path) -> Any:
    """Return JSON that holds segments, having counted them before it is parsed."""
    # A quote inside a string is escaped, so this is found in no text.
    found = text.count('"start"')
    if found > MOST:
        raise BadInput(
            f"it has {found} segments, more than {MOST}: cut it in parts", where=str(path)
        )
    data = parse_json(text, path)
    if not isinstance(data, dict | list):
        raise BadInput("write a list of segments, or an object that holds it", where=str(path))
    return data


def numbered(segments: Any) -> Any:
    """Return JSON segments with an id each, as text: what stands there, or the position."""
    if not isinstance(segments, list):
        return segments
    return [
        {**segment, "id": _identifier(segment.get("id"), number)}
        if isinstance(segment, dict)
        else segment
        for number, segment in enumerate(segments, 1)
    ]


def write_srt(segments: tuple[Segment, ...] | list[Segment], path: Path) -> None:
    """Write segments, in the order of their starts, as SRT in UTF-8; those without text are not."""
    subs = pysubs2.SSAFile()
    for segment in sorted(segments, key=lambda segment: segment.start):
        start, end = round(segment.start * 1000), round(segment.end * 1000)
        text = " ".join(segment.text.split()).replace("-->", "→")
        if text:
            subs.append(pysubs2.SSAEvent(start=start, end=end, text=text))
    subs.save(str(path), encoding="utf-8", format_="srt", keep_ssa_tags=True)


def _identifier(given: Any, number: int) -> Any:
    if given is None:
        return str(number)
    return str(given) if type(given) is int else given


def _read_cues(text: str, format_: str, path: Path, prefix: bool) -> tuple[Segment, ...]:
    screened = screen(text, format_, path)
    # Markup is kept, for it holds WebVTT's voices; ASS knows no such option.
    options = {} if format_ == "ass" else {"keep_html_tags": True}
    subs = pysubs2.SSAFile.from_string(screened.text, format_, **options)
    segments: list[Segment] = []
    for event, line in zip(subs, screened.lines, strict=True):
        where = at_line(path, line)
        if event.end <= event.start:
            raise BadInput("the cue ends before it starts, or at once: change its end", where=where)
        words = _without_drawings(event) if format_ == "ass" else event.plaintext
        if words is None:
            continue
        speaker, spoken = _speaker_and_text(words, event.name.strip(), prefix, where)
        segments.append(_segment(len(segments) + 1, event, speaker, spoken, where))
    return tuple(segments)


def _without_drawings(event: pysubs2.SSAEvent) -> str | None:
    """Return an ASS event's words, or None when it only draws."""
    if r"\p" not in event.text:
        return event.plaintext
    parts = parse_tags(event.text)
    drawn = any(style.drawing for _, style in parts)
    words = "".join(text for text, style in parts if not style.drawing)
    if drawn and not words.strip():
        return None
    return pysubs2.SSAEvent(text=words).plaintext


def _speaker_and_text(words: str, name: str, prefix: bool, where: str) -> tuple[str, str]:
    """Return who speaks, ``""`` when nothing says so, and what."""
    named = [name] if name else [html.unescape(tag).strip() for tag in VOICE.findall(words)]
    plain = ENTITY.sub(lambda match: html.unescape(match[0]), TAG.sub("", words))
    lines = plain.split("\n")
    if prefix and not named:
        matches = [PREFIX.fullmatch(line) for line in lines]
        named = [match[1] for match in matches if match]
        lines = [match[2] if match else line for match, line in zip(matches, lines, strict=True)]
    speakers = list(dict.fromkeys(named))
    if len(speakers) > 1:
        raise BadInput(
            f"{' and '.join(speakers)} speak in one cue: make a cue for each", where=where
        )
    return "".join(speakers), " ".join(" ".join(lines).split())


def _segment(number: int, event: pysubs2.SSAEvent, speaker: str, text: str, where: str) -> Segment:
    said_by = {"speaker": speaker} if speaker else {}
    times = {"start": event.start / 1000, "end": event.end / 1000}
    try:
        return Segment.model_validate({"id": str(number), "text": text, **times, **said_by})
    except ValidationError as exc:
        raise BadInput(exc.errors()[0]["msg"], where=where) from exc
