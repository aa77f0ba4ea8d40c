"""The words of a cue, without its markup: tags of HTML and WebVTT, overrides of ASS, entities."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import pysubs2
from pysubs2.formats.substation import parse_tags

OVERRIDE = re.compile(r"\{(?:\\|[Yy]:|[Cc]:\$)[^{}]*\}")
"""Overrides of ASS and MicroDVD that occur in SRT: ``{\\an8}``, ``{y:i}``. Other braces hold
words."""
REMARK = re.compile(r"<!--.*?-->", re.DOTALL)
BREAK = re.compile(r"<\s*/?\s*(?:br|p|div|li)\b[^<>]*>", re.IGNORECASE)
"""A tag that begins a new line."""
RUBY = re.compile(r"<ruby\b[^<>]*>.*?(?:</ruby\s*>|\Z)", re.IGNORECASE | re.DOTALL)
READING = re.compile(
    r"<(rt|rp)\b[^<>]*>.*?(?:</\1\s*>|(?=<r[tp]\b|</ruby\b|\n)|\Z)", re.IGNORECASE | re.DOTALL
)
"""The annotation of a ruby, which repeats its base's words in another script."""
TAG = re.compile(r"<(\s*)/?\s*([a-zA-Z][\w-]*)([^<>]*)>")
PLAIN_TAGS = frozenset(
    {
        *("b", "i", "u", "s", "em", "strong", "strike", "del", "ins", "mark", "small", "big"),
        *("sub", "sup", "tt", "q", "ruby", "rb", "rt", "rp", "center", "blink", "nobr"),
    }
)
"""Tags that have a class, attributes with a value, or nothing after their name."""
FREE_TAGS = frozenset({"v", "c", "lang", "font", "span", "a"})
"""Tags that have any text after their name."""
VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^<>]+)>")
"""A voice tag of WebVTT: ``<v Anna>``, ``<v.loud Anna>``."""
ENTITY = re.compile(r"&#?\w+;")


@dataclass(frozen=True, kw_only=True)
class Words:
    """The words of a cue."""

    lines: tuple[str, ...]
    """Lines as shown, without blank lines."""
    voices: tuple[str, ...] = ()
    """Names in voice tags, each once, in the order of the tags."""
    unvoiced: bool = False
    """Whether words stand before the first voice tag."""
    dropped: tuple[str, ...] = ()
    """Removed tags that no format knows, and so may have been meant as words."""


def words_of(event: pysubs2.SSAEvent, format_: str) -> Words:
    """Return the words of an event; ``format_`` is ``srt``, ``vtt`` or ``ass``."""
    text = _undrawn(event) if format_ == "ass" else _unbroken(OVERRIDE.sub("", event.text))
    text = RUBY.sub(lambda match: READING.sub("", match[0]), REMARK.sub("", text))
    voices = [html.unescape(voice).strip() for voice in VOICE.findall(text)]
    before = VOICE.split(text)[0] if voices else ""
    dropped: list[str] = []

    def kept(match: re.Match[str]) -> str:
        space, name, rest = match.groups()
        known = _is_known(name.lower(), rest)
        if not known and not space and not rest.strip(" /"):
            dropped.append(match[0])
            return ""
        return "" if known else match[0]

    plain = TAG.sub(kept, BREAK.sub("\n", text))
    plain = ENTITY.sub(lambda match: html.unescape(match[0]), plain)
    return Words(
        lines=tuple(line.strip() for line in plain.split("\n") if line.strip()),
        voices=tuple(dict.fromkeys(voices)),
        unvoiced=bool(TAG.sub("", before).strip()),
        dropped=tuple(dropped),
    )


def _is_known(name: str, rest: str) -> bool:
    """Whether a tag is markup. rest: the text after the tag's name."""
    if name in FREE_TAGS:
        return True
    return name in PLAIN_TAGS and (not rest.strip(" /") or rest[0] == "." or "=" in rest)


def _unbroken(text: str) -> str:
    """Return text with line breaks and spaces in place of pysubs2's codes for them."""
    return text.replace(r"\h", " ").replace(r"\n", "\n").replace(r"\N", "\n")


def _undrawn(event: pysubs2.SSAEvent) -> str:
    """Return an ASS event's words, without its drawings."""
    if r"\p" not in event.text:
        return event.plaintext
    parts = parse_tags(event.text)
    words = "".join(text for text, style in parts if not style.drawing)
    return pysubs2.SSAEvent(text=words).plaintext
