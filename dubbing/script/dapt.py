"""Dubbing scripts in DAPT, the W3C's profile of TTML2 for dubbing and audio description.

A script event is a ``div`` with its times, its speaker and, for each language, a ``p`` with the
words. Times are relative to those of the element around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dubbing.documents import each_made
from dubbing.errors import BadInput
from dubbing.job.caution import Caution
from dubbing.script.captions import Caption
from dubbing.script.cues import MOST, at_line
from dubbing.script.labels import one_each

if TYPE_CHECKING:
    from lxml.etree import _Element

TT = "{http://www.w3.org/ns/ttml}"
TTM = "{http://www.w3.org/ns/ttml#metadata}"
TTP = "{http://www.w3.org/ns/ttml#parameter}"
DAPTM = "{http://www.w3.org/ns/ttml/profile/dapt#metadata}"
XML = "{http://www.w3.org/XML/1998/namespace}"

DIALOGUE = "audio.dialogue"
NAMES = ("alias", "full", "given", "family")
"""Types of a speaker's name, the one that a script shows first."""
CLOCK = re.compile(r"(\d{2,}):([0-5]\d):([0-6]\d)(?:(\.\d+)|:(\d{2,})(?:\.(\d+))?)?")
OFFSET = re.compile(r"(\d+(?:\.\d+)?)(h|m|s|ms|f|t)")
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True, kw_only=True)
class Dapt:
    """A DAPT script in one of its languages."""

    captions: list[Caption]
    language: str
    """BCP 47 tag of the words."""
    cautions: list[Caution]


def read_dapt(text: str, path: Path, language: str | None = None) -> Dapt:
    """Return the events of a DAPT script with their words in one language.

    language: BCP 47 tag; by default the document's own.
    Where some events are dialogue, the others (texts on the screen, descriptions) are left out.
    Raises BadInput that names the lines.
    """
    root = _parsed(text, path)
    events = [one for one in root.iter(f"{TT}div") if one.find(f"{TT}p") is not None]
    if not events:
        raise BadInput("it has no div with a p: no script event", where=str(path))
    if len(events) > MOST:
        raise BadInput(
            f"it has {len(events)} events, more than {MOST}: cut it in parts", where=str(path)
        )
    dialogue = [one for one in events if DIALOGUE in _inherited(one, f"{DAPTM}represents", root)]
    heard = dialogue or events
    wanted = language or root.get(f"{XML}lang")
    if not wanted:
        raise BadInput("its tt names no language: add xml:lang", where=at_line(path, _line(root)))
    reader = _Reader(path, root, wanted)
    cautions = []
    if left := len(events) - len(heard):
        message = f"events that are no dialogue, as texts on the screen, are not spoken: {left}"
        cautions.append(Caution(code="sound", segment=None, message=message))
    captions = sorted(each_made(reader.caption, heard), key=lambda one: one.start)
    return Dapt(captions=captions, language=wanted, cautions=cautions)


class _Reader:
    """Reads the events of one script."""

    def __init__(self, path: Path, root: _Element, language: str) -> None:
        self._path = path
        self._language = language
        self._speakers = _speakers(root)
        self._times = _Times(path, root)

    def caption(self, event: _Element) -> Caption:
        words = self._words(event)
        start, end = self._times.of(words)
        if end is None or end <= start:
            fault = "has no end" if end is None else "ends before it starts, or as it starts"
            raise BadInput(f"the event {fault}: change its times", where=self._at(event))
        return Caption(
            line=_line(event),
            start=round(start * 1000),
            end=round(end * 1000),
            speaker=self._speaker(words),
            lines=_lines(words),
        )

    def _words(self, event: _Element) -> _Element:
        """Return the event's ``p`` in the language, or in the same one of another region."""
        found = {_inherited(p, f"{XML}lang"): p for p in reversed(event.findall(f"{TT}p"))}
        exact = {tag.lower(): p for tag, p in found.items()}.get(self._language.lower())
        if exact is not None:
            return exact
        wanted = _primary(self._language)
        near = next((p for tag, p in found.items() if _primary(tag) == wanted), None)
        if near is None:
            there = " and ".join(sorted(filter(None, found))) or "no language that it names"
            raise BadInput(
                f"the event has no words in {self._language!r}, only in {there}",
                where=self._at(event),
            )
        return near

    def _speaker(self, words: _Element) -> str:
        ids = _inherited(words, f"{TTM}agent").split()
        names = [self._speakers.get(one, one) for one in ids]
        if len(names) > 1:
            raise BadInput(one_each(names), where=self._at(words))
        return "".join(names)

    def _at(self, element: _Element) -> str:
        return at_line(self._path, _line(element))


class _Times:
    """The times of elements, in seconds from the film's first frame."""

    def __init__(self, path: Path, root: _Element) -> None:
        self._path = path
        self._rates = {
            "f": self._rate(root, "frameRate", 30) * self._multiplier(root),
            "t": self._rate(root, "tickRate", 1),
        }
        if root.get(f"{TTP}timeBase", "media") != "media":
            raise BadInput(
                "its times count by a clock and not from the film's first frame: "
                'write them with ttp:timeBase="media"',
                where=at_line(path, _line(root)),
            )

    def of(self, element: _Element) -> tuple[float, float | None]:
        """Return the start of an element and its end, None where nothing around it ends."""
        around = element.getparent()
        first, last = (0.0, None) if around is None else self.of(around)
        start = first + (self._seconds(element, "begin") or 0.0)
        ends = [last]
        if (said := self._seconds(element, "end")) is not None:
            ends.append(first + said)
        if (long := self._seconds(element, "dur")) is not None:
            ends.append(start + long)
        return start, min((end for end in ends if end is not None), default=None)

    def _seconds(self, element: _Element, name: str) -> float | None:
        told = element.get(name)
        if told is None:
            return None
        if clock := CLOCK.fullmatch(told.strip()):
            hours, minutes, seconds, fraction, frames, sub = clock.groups()
            whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
            counted = float(f"{frames or 0}.{sub or 0}") / self._rates["f"]
            return whole + float(fraction or 0) + counted
        if offset := OFFSET.fullmatch(told.strip()):
            number, unit = float(offset[1]), offset[2]
            return number * UNITS[unit] if unit in UNITS else number / self._rates[unit]
        raise BadInput(
            f"{name}: {told!r} is no time: write 12.5s or 00:00:12.500",
            where=at_line(self._path, _line(element)),
        )

    def _rate(self, root: _Element, name: str, default: int) -> float:
        told = root.get(f"{TTP}{name}", str(default))
        if not re.fullmatch(r"[1-9]\d{0,9}", told):
            raise BadInput(
                f"ttp:{name} is {told!r}: write a whole number above 0", where=str(self._path)
            )
        return float(told)

    def _multiplier(self, root: _Element) -> float:
        told = root.get(f"{TTP}frameRateMultiplier", "1 1")
        if not (found := re.fullmatch(r"([1-9]\d{0,9})\s+([1-9]\d{0,9})", told)):
            raise BadInput(
                f"ttp:frameRateMultiplier is {told!r}: write two numbers, as in 1000 1001",
                where=str(self._path),
            )
        return int(found[1]) / int(found[2])


def _parsed(text: str, path: Path) -> _Element:
    from lxml import etree  # noqa: PLC0415 (loads slowly, and few scripts are XML)

    # Entities are not read: DAPT allows none, and a few lines of them can stand for gigabytes.
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, remove_comments=True)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as exc:
        fault = exc.msg.partition(", line ")[0]
        raise BadInput(f"this is not XML: {fault}", where=at_line(path, exc.lineno or 1)) from exc
    if root.getroottree().docinfo.doctype:
        raise BadInput("a DAPT script has no document type: remove it", where=str(path))
    if root.tag != f"{TT}tt":
        raise BadInput("this is not TTML: its first element is no tt", where=str(path))
    return root


def _speakers(root: _Element) -> Mapping[str, str]:
    """Return the name of each speaker, by the id that events give."""
    found = {}
    for agent in root.iter(f"{TTM}agent"):
        names = {one.get("type", ""): _plain(one) for one in agent.iter(f"{TTM}name")}
        id_ = agent.get(f"{XML}id", "")
        found[id_] = next((names[kind] for kind in NAMES if names.get(kind)), id_)
    return found


def _lines(words: _Element) -> tuple[str, ...]:
    text = "".join(_texts(words))
    if _inherited(words, f"{XML}space") != "preserve":
        # Rows of the file are none of the script, which has `br` for them.
        text = "\n".join(" ".join(row.split()) for row in text.replace("\n", " ").split("\v"))
    rows = (row.strip() for row in text.replace("\v", "\n").split("\n"))
    return tuple(filter(None, rows))


def _texts(element: _Element) -> Iterator[str]:
    """Yield an element's words, without notes about them, and with a mark for each new row."""
    yield element.text or ""
    for child in element:
        if child.tag == f"{TT}br":
            yield "\v"
        elif child.tag == f"{TT}span":
            yield from _texts(child)
        yield child.tail or ""


def _inherited(element: _Element, name: str, root: _Element | None = None) -> str:
    """Return an attribute of an element, or of the nearest one around it that has it.

    root: where the attribute is called by its name for whole scripts.
    """
    for one in (element, *element.iterancestors()):
        if one is root:
            return one.get(f"{DAPTM}scriptRepresents", "")
        if (told := one.get(name)) is not None:
            return told
    return ""


def _plain(element: _Element) -> str:
    return " ".join("".join(map(str, element.itertext())).split())


def _primary(tag: str) -> str:
    return tag.lower().partition("-")[0]


def _line(element: _Element) -> int:
    return element.sourceline or 1
