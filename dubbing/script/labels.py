"""Speakers of captions: names that stand before the words, and other signs of a speaker."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dubbing.errors import BadInput
from dubbing.script.captions import Caption

TURN = re.compile(r"\s*(?:[-–—•‐‑−](?!\d)|>{2,})\s*")
"""The beginning of a line with which another speaker takes over."""
DESCRIPTION = re.compile(r"\s*(?:[-–—]\s*)?[\[(（【][^\])）】]*[\])）】]\s*")
"""A line that only describes a sound."""
LONGEST = 41
"""Most characters of a name; a longer text before a colon is spoken, with a caution."""
NAME = r"\d{0,3}[^\W\d_][\w .'’&/#№-]{0,120}?"
ASIDE = r"(?:\s*[\[(（][^\])）]*[\])）])*"
"""A remark on how or from where the words are spoken: ``(V.O.)``."""
NAMED = re.compile(rf"\s*({NAME}){ASIDE}\s*([:：])(.*)")
"""``NAME: text``, ``NAME (V.O.): text``."""
ENCLOSED = re.compile(rf"\s*[\[(（【{{]\s*({NAME})\s*[\])）】}}]{ASIDE}\s*([:：])(.*)")
"""``[NAME]: text``."""
BRACKETED = re.compile(rf"\s*[\[【]\s*({NAME})\s*[\]】](.*)")
"""``[NAME] text``, where NAME may also describe a sound."""
NUMBERED = re.compile(r"[^\W\d_]+[ _#№.-]*\d+")
"""``SPEAKER_01``, ``Speaker 1``: never the description of a sound."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """A speaker's name before words."""

    name: str
    text: str
    """The words after the name, on the same line."""
    doubt: bool = False
    """Whether it may not be a name, but a sound in brackets or other words before a colon."""

    @property
    def long(self) -> bool:
        """Whether it is too long for a name."""
        return len(self.name) > LONGEST


def with_speaker(caption: Caption, where: str) -> Caption:
    """Return a caption with its labels moved from its text to its speaker.

    Raises BadInput when the caption has two names.
    """
    if caption.speaker:
        return caption
    found = [_label(line, caption.lines) for line in caption.lines]
    for label in found:
        if label and label.long:
            caption = caption.noted("label", too_long(label.name))
    labels = [None if label and label.long else label for label in found]
    names = list(dict.fromkeys(label.name for label in labels if label))
    if not names:
        return caption
    if len(names) > 1:
        raise BadInput(one_each(names), where=where)
    lines = [
        label.text if label else line for label, line in zip(labels, caption.lines, strict=True)
    ]
    caption = replace(caption, speaker=names[0], lines=tuple(filter(None, lines)))
    if any(label and label.doubt for label in labels):
        message = f"{names[0]!r} is taken for the speaker, and is not spoken"
        caption = caption.noted("label", message)
    if labels[0] is None:
        caption = caption.noted("speakers", before_label(names[0]))
    return caption


def with_turns(caption: Caption) -> Caption:
    """Return a caption, with a note if its lines seem to be those of two speakers."""
    spoken = [line for line in caption.lines if not DESCRIPTION.fullmatch(line)]
    if any(TURN.match(line) for line in spoken[1:]) or " ".join(spoken).count(">>") > 1:
        return caption.noted("speakers", "two speakers seem to talk in it: make a cue for each")
    return caption


def one_each(names: Sequence[str]) -> str:
    """Return the message for a caption of several speakers."""
    return f"{' and '.join(names)} speak in one cue: make a cue for each"


def before_label(name: str) -> str:
    """Return the message for words that stand before a speaker's name."""
    return f"words stand before the name of {name!r}, who speaks them too: make a cue for each"


def too_long(name: str) -> str:
    """Return the message for words before a colon that are too many for a name."""
    return (
        f"{name!r} may be the speaker, but has more than {LONGEST} characters: it is spoken; "
        "shorten it if it is a name"
    )


def seems_labelled(lines: Sequence[str]) -> bool:
    """Whether a line begins with a speaker's name in capitals."""
    labels = (_label(line, lines) for line in lines)
    return any(label and not label.doubt and _in_capitals(label.name) for label in labels)


def _label(line: str, lines: Sequence[str]) -> Label | None:
    """Return the label at the beginning of one of a caption's lines."""
    turn = TURN.match(line)
    rest = line[turn.end() :] if turn else line
    if enclosed := ENCLOSED.fullmatch(rest):
        name, _, text = enclosed.groups()
        return Label(name=name, text=text.strip(), doubt=not _is_title(name))
    several = len(lines) > 1
    if bracketed := BRACKETED.fullmatch(rest):
        return _bracketed(bracketed[1], bracketed[2].strip(), several=several)
    if named := NAMED.fullmatch(rest):
        return _named(named[1], named[2], named[3], several=several)
    return None


def _bracketed(name: str, text: str, *, several: bool) -> Label | None:
    """Return a label without a colon; several words in brackets more likely describe a sound.

    several: whether the caption has more lines than this one.
    """
    numbered = NUMBERED.fullmatch(name) is not None
    if not (text or several) or not (numbered or (" " not in name and _in_capitals(name))):
        return None
    return Label(name=name, text=text, doubt=not numbered)


def _named(name: str, colon: str, text: str, *, several: bool) -> Label | None:
    """Return a label without brackets.

    several: whether the caption has more lines than this one.
    """
    capitals = _in_capitals(name)
    if colon == ":" and text and not text[0].isspace() and not (capitals and text[0].isalpha()):
        return None
    if not text.strip() and not capitals and not (several and _is_title(name)):
        return None
    return Label(name=name, text=text.strip(), doubt=not _is_title(name))


def _in_capitals(name: str) -> bool:
    return not any(map(str.islower, name))


def _is_title(name: str) -> bool:
    """Whether no word begins with a lower-case letter."""
    return not any(word[0].islower() for word in name.split())
