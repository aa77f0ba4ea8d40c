"""Reads scripts and writes subtitles: SRT, WebVTT and ASS by pysubs2, DAPT, and JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysubs2
from pydantic import ValidationError

from dubbing.documents import each_made, each_validated, listed
from dubbing.errors import BadInput
from dubbing.files import parse_json, read_text
from dubbing.job import Caution, Code, Segment
from dubbing.script.captions import Caption, said_once, unrolled
from dubbing.script.cues import MOST, Screened, at_line
from dubbing.script.dapt import Dapt, read_dapt
from dubbing.script.labels import before_label, one_each, seems_labelled, with_speaker, with_turns
from dubbing.script.markup import words_of
from dubbing.script.subrip import screen_subrip
from dubbing.script.substation import screen_substation
from dubbing.script.transcript import is_transcript, language_of, mixed_speakers, script_segments
from dubbing.script.webvtt import screen_webvtt

SHOWN = 5
"""Most removed tags that one caution names."""
SUFFIXES = (".srt", ".vtt", ".ass", ".ssa", ".ttml", ".json")
"""Suffixes of scripts."""
ROLLED_UP = (
    "the captions roll up: they repeat each line until it leaves the screen, as YouTube's do; each "
    "line is spoken once, when it first appears"
)
UNREADABLE = (
    "it holds \ufffd in place of a lost character: write the character, or name the file's encoding"
)


@dataclass(frozen=True, kw_only=True)
class Script:
    """A script as it was read."""

    segments: tuple[Segment, ...]
    cautions: tuple[Caution, ...] = ()
    language: str | None = None
    """BCP 47 tag; None unless a transcript or a DAPT script names its language."""


def read_script(
    path: Path,
    *,
    speaker_prefix: bool = False,
    encoding: str | None = None,
    language: str | None = None,
) -> Script:
    """Return the segments of an SRT, VTT, ASS, SSA, DAPT or JSON file, in the file's order.

    Ids are the positions of the kept cues, from ``"1"``; JSON may give its own. Markup, positions,
    and the comments and drawings of ASS are left out. A cue without words is kept, for the check of
    the job to name, unless it is an ASS event or has no length either. A doubtful reading gives a
    caution.

    speaker_prefix: read ``NAME: text`` as NAME's text if no tag names the speaker.
    encoding: default UTF-8, or the encoding of a byte order mark.
    language: the one to dub into, for a script in several; by default the script's own.

    Raises BadInput that names the lines.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"a script is one of: {', '.join(SUFFIXES)}", where=str(path))
    text = read_text(path, encoding)
    match suffix:
        case ".json":
            return _read_json(read_segments(text, path), path)
        case ".ttml":
            return _read_dapt(read_dapt(text, path, language), path)
        case ".srt":
            return _read_cues(screen_subrip(text, path), "srt", path, speaker_prefix)
        case ".vtt":
            return _read_cues(screen_webvtt(text, path), "vtt", path, speaker_prefix)
    return _read_cues(screen_substation(text, path), "ass", path, speaker_prefix)


def read_segments(text: str, path: Path) -> Any:
    """Parse JSON that holds segments, after counting them in the text; raises BadInput."""
    # A quote inside a string is escaped, so no text contains these keys. The words of a transcript
    # have a start but no text.
    found = min(text.count('"start"'), text.count('"text"'))
    if found > MOST:
        raise BadInput(
            f"it has {found} segments, more than {MOST}: cut it in parts", where=str(path)
        )
    data = parse_json(text, path)
    if not isinstance(data, dict | list):
        raise BadInput("write a list of segments, or an object that holds it", where=str(path))
    return data


def numbered(segments: Any) -> Any:
    """Return JSON segments, each with an id as text: the given id, or the segment's position.

    A speech recogniser's segments keep only the fields that a script has.
    """
    if not isinstance(segments, list):
        return segments
    if is_transcript(segments):
        segments = script_segments(segments)
    return [
        {**segment, "id": _identifier(segment.get("id"), number)}
        if isinstance(segment, dict)
        else segment
        for number, segment in enumerate(segments, 1)
    ]


def write_srt(segments: Sequence[Segment], path: Path, *, until: float = math.inf) -> None:
    """Write the segments that have text as SRT in UTF-8, ordered by start.

    until: seconds at which the last cues end; later ones are left out.
    """
    subs = pysubs2.SSAFile()
    for segment in sorted(segments, key=lambda segment: segment.start):
        start, end = round(segment.start * 1000), round(min(segment.end, until) * 1000)
        text = segment.text.replace("-->", "→")
        if text and segment.start < until:
            subs.append(pysubs2.SSAEvent(start=start, end=end, text=text))
    subs.save(str(path), encoding="utf-8", format_="srt", keep_ssa_tags=True)


def _identifier(given: Any, number: int) -> Any:
    if given is None:
        return str(number)
    return str(given) if type(given) is int else given


def _read_json(data: Any, path: Path) -> Script:
    segments = data if isinstance(data, list) else data.get("segments")
    cautions: list[Caution] = []
    if is_transcript(data):
        cautions = mixed_speakers(segments)
        segments = script_segments(segments)
    if not isinstance(segments, list):
        raise BadInput("segments should be a list", where=str(path))
    checked, faults = each_validated(Segment, numbered(segments), "segments")
    if faults:
        raise BadInput(listed(faults), where=str(path))
    return Script(segments=tuple(checked), cautions=tuple(cautions), language=language_of(data))


def _read_dapt(read: Dapt, path: Path) -> Script:
    return Script(
        segments=_segments(read.captions, path),
        cautions=(*read.cautions, *_noted(read.captions)),
        language=read.language,
    )


def _read_cues(screened: Screened, format_: str, path: Path, prefix: bool) -> Script:
    captions = said_once(_captions(screened, format_, path))
    if not captions:
        raise BadInput("none of its cues holds words", where=str(path))
    cautions = [*screened.cautions]
    if (rolled := list(unrolled(captions))) != captions:
        cautions.append(_of_script("rolled_up", ROLLED_UP))
        captions = rolled
    if prefix:
        captions = each_made(lambda one: with_speaker(one, at_line(path, one.line)), captions)
    else:
        cautions += _labels_unread(captions)
    captions = [with_turns(one) for one in captions]
    return Script(
        segments=_segments(captions, path),
        cautions=(*cautions, *_noted(captions)),
    )


def _captions(screened: Screened, format_: str, path: Path) -> list[Caption]:
    # Markup is kept because it holds WebVTT's voices; the ASS parser has no such option.
    options = {} if format_ == "ass" else {"keep_html_tags": True}
    subs = pysubs2.SSAFile.from_string(screened.text, format_, **options)
    cues = zip(subs, screened.lines, strict=True)
    found = each_made(lambda cue: _caption(*cue, format_, path), cues, screened.faults)
    return [caption for caption in found if caption]


def _caption(event: pysubs2.SSAEvent, line: int, format_: str, path: Path) -> Caption | None:
    """Return the caption of one cue; None if nothing of it is kept."""
    where = at_line(path, line)
    words = words_of(event, format_)
    timeless = event.end <= event.start
    if not (words.lines or words.dropped) and (timeless or format_ == "ass"):
        return None
    if timeless:
        fault = "the cue ends before it starts, or as it starts: change its end"
        raise BadInput(fault, where=where)
    speakers = (event.name.strip(),) if event.name.strip() else words.voices
    if len(speakers) > 1:
        raise BadInput(one_each(speakers), where=where)
    caption = Caption(
        line=line,
        start=event.start,
        end=event.end,
        speaker="".join(speakers),
        lines=words.lines,
    )
    if words.dropped:
        caption = caption.noted("markup", _dropped(words.dropped))
    if words.unvoiced:
        caption = caption.noted("speakers", before_label(caption.speaker))
    if any("\ufffd" in words for words in caption.lines):
        caption = caption.noted("unreadable", UNREADABLE)
    return caption


def _dropped(tags: Sequence[str]) -> str:
    if len(tags) == 1:
        return f"{tags[0]} is taken for markup: it is not spoken"
    shown = ", ".join(tags[:SHOWN])
    more = f" and {len(tags) - SHOWN} more" if len(tags) > SHOWN else ""
    return f"{shown}{more} are taken for markup: they are not spoken"


def _labels_unread(captions: Sequence[Caption]) -> list[Caution]:
    """Return a caution if lines begin with names and ``speaker_prefix`` is off."""
    labelled = [one for one in captions if not one.speaker and seems_labelled(one.lines)]
    if not labelled:
        return []
    message = (
        f"a speaker's name seems to begin some cues ({len(labelled)}, the first at line "
        f"{labelled[0].line}): it is spoken, unless --speaker-prefix takes it for the speaker"
    )
    return [_of_script("label", message)]


def _noted(captions: Sequence[Caption]) -> list[Caution]:
    return [
        Caution(
            code=note.code,
            segment=str(number),
            message=f"cue {number} (the file's line {one.line}): {note.message}",
        )
        for number, one in enumerate(captions, 1)
        for note in one.notes
    ]


def _of_script(code: Code, message: str) -> Caution:
    return Caution(code=code, segment=None, message=message)


def _segments(captions: Sequence[Caption], path: Path) -> tuple[Segment, ...]:
    return tuple(each_made(lambda one: _segment(*one, path), enumerate(captions, 1)))


def _segment(number: int, caption: Caption, path: Path) -> Segment:
    said_by = {"speaker": caption.speaker} if caption.speaker else {}
    times = {"start": caption.start / 1000, "end": caption.end / 1000}
    text = "\n".join(caption.lines)
    try:
        return Segment.model_validate({"id": str(number), "text": text, **times, **said_by})
    except ValidationError as exc:
        raise BadInput(exc.errors()[0]["msg"], where=at_line(path, caption.line)) from exc
