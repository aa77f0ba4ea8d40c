"""Writes the spoken lines as a DAPT script: the transcript that a studio keeps of its dub."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from dubbing.job import Segment
from dubbing.script.dapt import DAPTM, DIALOGUE, TT, TTM, TTP, XML

PROFILE = "http://www.w3.org/ns/ttml/profile/dapt1.0/content"
PREFIXES = {None: TT, "ttm": TTM, "ttp": TTP, "daptm": DAPTM}
NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
"""An id that XML takes."""
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_dapt(
    segments: Sequence[Segment],
    times: Mapping[str, tuple[float, float]],
    language: str,
    path: Path,
) -> None:
    """Write the segments that were spoken, in time order.

    times: by segment id, when each is heard, in seconds from the film's first frame; segments
    without times are left out. language: BCP 47 tag of their texts.
    """
    from lxml import etree  # noqa: PLC0415 (loads slowly, and few jobs want XML)

    root = etree.Element(
        f"{TT}tt",
        {
            f"{TTP}contentProfiles": PROFILE,
            f"{XML}lang": language,
            f"{DAPTM}scriptRepresents": DIALOGUE,
            f"{DAPTM}scriptType": "asRecorded",
        },
        nsmap={prefix: space.strip("{}") for prefix, space in PREFIXES.items()},
    )
    heard = sorted((one for one in segments if one.id in times), key=lambda one: times[one.id])
    agents = {name: f"c{n}" for n, name in enumerate(dict.fromkeys(s.speaker for s in heard), 1)}
    told = etree.SubElement(etree.SubElement(root, f"{TT}head"), f"{TT}metadata")
    for name, id_ in agents.items():
        agent = etree.SubElement(told, f"{TTM}agent", {"type": "character", f"{XML}id": id_})
        etree.SubElement(agent, f"{TTM}name", type="alias").text = _plain(name)
    body = etree.SubElement(root, f"{TT}body")
    for number, segment in enumerate(heard, 1):
        start, end = times[segment.id]
        event = etree.SubElement(
            body,
            f"{TT}div",
            {
                f"{XML}id": _id(segment.id, number),
                "begin": f"{start:.3f}s",
                "end": f"{end:.3f}s",
                f"{TTM}agent": agents[segment.speaker],
                f"{DAPTM}represents": DIALOGUE,
            },
        )
        paragraph = etree.SubElement(event, f"{TT}p")
        rows = _plain(segment.text).split("\n")
        paragraph.text = rows[0]
        for row in rows[1:]:
            etree.SubElement(paragraph, f"{TT}br").tail = row
    etree.indent(root)
    etree.ElementTree(root).write(path, xml_declaration=True, encoding="utf-8")


def _id(segment: str, number: int) -> str:
    """Return an id that no agent has, and that XML takes: most segments are numbers."""
    named = NAME.fullmatch(segment) and not re.fullmatch(r"[ce]\d+", segment)
    return segment if named else f"e{number}"


def _plain(text: str) -> str:
    return NO_XML.sub("\ufffd", text)
