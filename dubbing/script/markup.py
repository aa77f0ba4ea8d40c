"""The words of a cue, without its markup: tags of HTML and WebVTT, overrides of ASS, entities."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pysubs2

OVERRIDE = re.compile(r"\{(?:\\|[Yy]:|[Cc]:\$)[^{}]*\}")
"""Overrides of ASS and MicroDVD that occur in SRT: ``{\\an8}``, ``{y:i}``. Other braces hold
words."""
BREAK = re.compile(r"<\s*+(?:/\s*+)?(?:br|p|div|li)\b[^<>]*>", re.IGNORECASE)
"""A tag that begins a new line."""
RUBY = re.compile(r"<ruby\b[^<>]*>.*?(?:</ruby\s*>|\Z)", re.IGNORECASE | re.DOTALL)
READING = re.compile(
    r"<(rt|rp)\b[^<>]*>.*?(?:</\1\s*>|(?=<r[tp]\b|</ruby\b|\n)|\Z)", re.IGNORECASE | re.DOTALL
)
"""The annotation of a ruby, which repeats its base's words in another script."""
TAG = re.compile(r"<(\s*+)(?:/\s*+)?([a-zA-Z][\w-]*+)([^<>]*+)>")
PLAIN_TAGS = frozenset(
    {
        *("b", "i", "u", "s", "em", "strong", "strike", "del", "ins", "mark", "small", "big"),
        *("sub", "sup", "tt", "q", "ruby", "rb", "rt", "rp", "center", "blink", "nobr"),
    }
)
"""Tags that have a class, attributes with a value, or nothing after their name."""
FREE_TAGS = frozenset({"v", "c", "lang", "font", "span", "a"})
"""Tags that have any text after their name."""
VOICE = re.compile(r"<v(?:\.[^\s>]*+)?\s++([^<>]++)>")
"""A voice tag of WebVTT: ``<v Anna>``, ``<v.loud Anna>``."""
ENTITY = re.compile(r"&#?\w{1,40};")
DRAWING = re.compile(r"\\p(\d)|\\r(?![a-zA-Z_0-9 ])", re.ASCII)
"""An override of ASS that begins or ends a drawing, or ends all that was set in the event."""


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
    text = _undrawn(event.text) if format_ == "ass" else _unbroken(OVERRIDE.sub("", event.text))
    text = "".join(plain for plain, _ in _between(text, "<!--", "-->"))
    text = RUBY.sub(lambda match: READING.sub("", match[0]), text)
    voices = [_unescaped(voice).strip() for voice in VOICE.findall(text)]
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
    lines = _unescaped(plain).split("\n")
    return Words(
        lines=tuple(line.strip() for line in lines if line.strip()),
        voices=tuple(dict.fromkeys(voices)),
        unvoiced=bool(TAG.sub("", before).strip()),
        dropped=tuple(dict.fromkeys(dropped)),
    )


def _is_known(name: str, rest: str) -> bool:
    """Whether a tag is markup. rest: the text after the tag's name."""
    if name in FREE_TAGS:
        return True
    return name in PLAIN_TAGS and (not rest.strip(" /") or rest[0] == "." or "=" in rest)


def _unbroken(text: str) -> str:
    """Return text with line breaks and spaces in place of pysubs2's codes for them."""
    return text.replace(r"\h", " ").replace(r"\n", "\n").replace(r"\N", "\n")


def _undrawn(text: str) -> str:
    """Return the words of an ASS event's text, without its overrides and drawings."""
    words: list[str] = []
    drawing = False
    # pysubs2 takes the square of an event's length for both.
    for plain, override in _between(text, "{", "}"):
        if not drawing:
            words.append(plain)
        for scale in DRAWING.findall(override):
            drawing = scale not in {"", "0"}
    return _unbroken("".join(words))


def _between(text: str, opening: str, closing: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of ``text`` outside of the signs, each with the part inside that follows."""
    at = 0
    while (start := text.find(opening, at)) >= 0:
        end = text.find(closing, start + len(opening))
        if end < 0:
            break
        yield text[at:start], text[start:end]
        at = end + len(closing)
    yield text[at:], ""


def _unescaped(text: str) -> str:
    return ENTITY.sub(lambda match: html.unescape(match[0]), text)
