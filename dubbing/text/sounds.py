"""Separation of a line's speech from sounds, lyrics and their signs.

The rules, which the README states for users:

- Square brackets hold a sound: ``[door slams]``, ``【掌声】``.
- Round brackets and single asterisks hold a sound where they stand alone, at the beginning of a
  line or between sentences: ``(sighs) I know.`` Within a sentence they hold speech.
- Lyrics stand between two notes or after a note that begins a line. ``#`` is a note at the
  beginning of a line, before a space.
- Text that only looks like a sound or lyrics is spoken, and is an `Aside` too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

from dubbing.job import Request, Segment
from dubbing.text.characters import normalise, speakable

AnyRequest = TypeVar("AnyRequest", bound=Request)
REMEMBERED = 1 << 13
"""Texts whose speech is kept: the check of a job asks for that of each line several times."""
Kind = Literal["sound", "lyrics"]
Part = Literal["speech", "lyrics", "doubt"]
"""The apparent kind of the text around a note; ``doubt`` is speech that may be lyrics."""


class Aside(NamedTuple):
    """A part of a line that is, or looks like, a sound or lyrics."""

    kind: Kind
    text: str
    """The text as written."""
    spoken: bool


class Utterance(NamedTuple):
    """The part of a line that is speech, before numbers and signs are put into words."""

    words: str
    """Text without signs of sounds and lyrics; not `speakable` when the line is silent."""
    asides: tuple[Aside, ...] = ()


def _enclosed(opening: str, closing: str) -> str:
    """Return a pattern of text in brackets, which may hold one more pair."""
    inside = rf"[^{opening}{closing}]"
    return rf"[{opening}](?:{inside}|[{opening}]{inside}*[{closing}])*[{closing}]"


SQUARE = "|".join(
    _enclosed(re.escape(opening), re.escape(closing))
    for opening, closing in ("[]", "【】", "［］", "〔〕")
)
ROUND = _enclosed(r"(（", r")）")
STARRED = r"(?<![\w*])\*(?![\s*])[^*]+(?<!\s)\*(?![\w*])"
NOTES = "♩♪♫♬🎵🎶🎼¶"
NOTE = rf"(?:[{NOTES}]\ufe0f?)+"
BRACKET = re.compile(rf"(?P<square>{SQUARE})|{ROUND}|{STARRED}")
SIGN = re.compile(rf"{SQUARE}|{ROUND}|(?P<note>{NOTE})")
ANY_SIGN = re.compile(rf"[\[\]【】［］〔〕(（*#＃{NOTES}]")

BOLD = re.compile(r"(?<!\*)\*{2,}+(?=\S)((?:(?!\*\*).)++)(?<=\S)\*\*+")
DASHES = ("-", "–", "—", "‐")
DASH = rf"[{''.join(DASHES)}]"
SONG_IN_STARS = re.compile(rf"\s*(?:{DASH}\s*)?\*\s+(?!\d)[^*]+\s\*\s*")
SONG_IN_HASHES = re.compile(
    rf"\s*(?:{DASH}\s*)?(?:[#＃]\s.*\s[#＃]|[#＃][^\W\d].*[\w.,!?…]{{2}}[#＃])\s*"
)
"""A whole line of lyrics: ``# 99 red balloons #``, ``#Row the boat#``, but not ``#1 is C#``."""
HASH = re.compile(r"(?<!\S)[#＃]|[#＃](?=\s*$)")
SONG_AFTER_HASH = re.compile(
    rf"(?P<before>(?:^|[.?!…\"”»\])]\s)\s*(?:{DASH}\s*)?)"
    r"[#＃]\s+(?!\d)(?P<song>(?:[^#＃]|(?<=\s[A-G])[#＃])*?)"
    r"(?:(?P<end>\s[#＃](?!\S)|(?<!\s[A-G])[#＃]$)|$)"
)
"""Lyrics after a hash at the beginning of a line or between sentences, up to a second hash."""

NEAR = 80
"""Characters on each side of a bracket that are examined for a sentence around it."""
DIALOGUE = re.compile(rf"(?:^|\s){DASH}+\s*$")
"""The dash before another person's words, at the end of the text before them."""
OTHERS_TURN = re.compile(rf"\s+(?={DASH}\s)")
SENTENCE_END = re.compile(r"[.?!…。？！][\"'”’»」』)\]]*$|\w[-–—]+$|--$")
SENTENCE = re.compile(r"(?s).*[.?!…。？！][\"'”’»」』]*")
GOES_ON = (",", ".", ";", ":", "!", "?", "，", "。", "！", "？")
QUOTES = " \"'“”«»„‘¿¡…." + "".join(DASHES)
"""Characters that may precede the first word of a sentence."""

STRAY_BRACKET = re.compile(r"[\[\]【】［］〔〕]")
ROUND_BRACKET = re.compile(r"[()（）]")
TIMES = re.compile(r"(?<=\d)\s?\*\s?(?=\d)")
IN_A_WORD = re.compile(r"(?<=\w)\*+(?=\w)")
SILENT_SIGN = re.compile(rf"{NOTE}|[\[\]【】［］〔〕*]|(?<!\b[A-G])[#＃](?!\s?\d)")
"""Signs that an engine would read out by name; ``#1`` and ``C#`` are left to the wording."""
LEFT_BEHIND = (
    # Spaces first: in a long run of spaces the patterns below would search from each one.
    (re.compile(r"\s+"), " "),
    (re.compile(rf"(?<!\S){DASH} ?(?={DASH} |$)"), ""),
    (re.compile(r" (?=[,;:?!]|\.(?!\.))"), ""),
    (re.compile(r"^[ ,;:]+"), ""),
)
"""Leftovers of removed words: a dash, a comma, spaces."""


def utterance_of(request: Request, segment: Segment) -> Utterance:
    """Return the speech of a segment and its asides, as ``request`` asks."""
    return _utterance(segment.text, request.speak_sounds, request.speak_lyrics)


@lru_cache(maxsize=REMEMBERED)
def _utterance(text: str, sounds: bool, lyrics: bool) -> Utterance:
    return read(normalise(text), sounds=sounds, lyrics=lyrics)


def is_silent(request: Request, segment: Segment) -> bool:
    """Whether a segment has nothing to say: no letter or digit that ``request`` wants spoken."""
    return not speakable(utterance_of(request, segment).words)


def voiced(request: AnyRequest) -> AnyRequest:
    """Return ``request`` without its silent segments.

    Speakers who never speak drop out, and the remaining lines may use the time of silent ones.
    """
    spoken = tuple(segment for segment in request.segments if not is_silent(request, segment))
    return request.model_copy(update={"segments": spoken})


def read(text: str, *, sounds: bool = False, lyrics: bool = False) -> Utterance:
    """Return the speech of ``text`` and its asides.

    sounds, lyrics: whether these are spoken. Text without any sign is returned unchanged.
    """
    if not ANY_SIGN.search(text):
        return Utterance(text)
    asides: list[Aside] = []
    words: list[str] = []
    for kind, part in _parts(_with_notes(BOLD.sub(r"\1", text))):
        if kind == "lyrics":
            asides.append(Aside("lyrics", part.strip(), lyrics))
            if not lyrics:
                continue
        elif kind == "doubt":
            asides.append(Aside("lyrics", part.strip(), True))
        said, found = _without_sounds(part, sounds)
        words.append(said)
        asides += found
    return Utterance(_tidied(" ".join(words)), tuple(asides))


def _with_notes(text: str) -> str:
    """Return ``text`` with notes in place of the hashes and asterisks that stand for notes."""
    if SONG_IN_STARS.fullmatch(text):
        return text.replace("*", "♪")
    if SONG_IN_HASHES.fullmatch(text):
        return HASH.sub("♪", text)
    return SONG_AFTER_HASH.sub(
        lambda found: f"{found['before']}♪ {found['song']}{' ♪' if found['end'] else ''}", text
    )


def _parts(text: str) -> Iterator[tuple[Part, str]]:
    """Yield the parts of ``text`` around its notes, each with its apparent kind."""
    chunks, at = [], 0
    for sign in SIGN.finditer(text):
        if sign["note"]:
            chunks.append(text[at : sign.start()])
            at = sign.end()
    chunks.append(text[at:])
    # Several notes at either end of the line count as one.
    first, end = 0, len(chunks)
    while end - first > 2 and not (chunks[first] + chunks[first + 1]).strip():
        first += 1
    while end - first > 2 and not (chunks[end - 2] + chunks[end - 1]).strip():
        end -= 1
    chunks = chunks[first:end]
    if len(chunks) == 2:
        yield from _around_one_note(*chunks)
        return
    last = len(chunks) - 1
    # In "♪ … ♪ … ♪" a note ends one line of the song and begins the next.
    in_pairs = last % 2 == 0
    for number, chunk in enumerate(chunks):
        if number == 0 or not speakable(chunk) or OTHERS_TURN.match(chunk):
            yield "speech", chunk
        elif number == last:
            yield "speech" if in_pairs else "doubt", chunk
        else:
            yield "doubt" if in_pairs and number % 2 == 0 else "lyrics", chunk


def _around_one_note(before: str, after: str) -> Iterator[tuple[Part, str]]:
    """Yield the parts before and after the only note of a line."""
    if speakable(before) and not DIALOGUE.search(before):
        goes_on = speakable(after)
        yield "speech" if goes_on else "doubt", before
        yield "doubt" if goes_on else "speech", after
        return
    yield "speech", before
    sung, *rest = OTHERS_TURN.split(after, maxsplit=1)
    if speakable(sung):
        yield "lyrics", sung
    for turn in rest:
        yield "speech", turn


def _without_sounds(text: str, spoken: bool) -> tuple[str, list[Aside]]:
    """Return the words of ``text`` without its brackets, and the asides that these held."""
    words, speech, at = "", "", 0
    dialogue = text.lstrip().startswith(DASHES)
    asides: list[Aside] = []
    for found in BRACKET.finditer(text):
        inner = ROUND_BRACKET.sub("", found.group()[1:-1]).strip()
        if not any(map(str.isalpha, inner)):
            continue
        plain = text[at : found.start()]
        words, speech, at = words + plain, (speech + plain)[-NEAR:], found.end()
        if found["square"] or _stands_alone(inner, speech, text[at : at + NEAR], dialogue):
            asides.append(Aside("sound", found.group(), spoken))
            words += f" {inner} " if spoken else " "
            continue
        if _describes(inner):
            asides.append(Aside("sound", found.group(), True))
        words, speech = words + inner, speech + inner
    words += text[at:]
    if STRAY_BRACKET.search(words) and speakable(words):
        asides.append(Aside("sound", words.strip(), True))
    return words, asides


def _stands_alone(inner: str, before: str, after: str, dialogue: bool) -> bool:
    """Whether the text in round brackets is not part of the sentence around them.

    before: the speech up to the brackets. dialogue: whether dashes separate several speakers.
    """
    if not _describes(inner) or SENTENCE.fullmatch(inner):
        return False
    follows = after.lstrip(QUOTES)[:1]
    if _begins_a_turn(before, dialogue):
        # "(He was) right": the sentence begins inside.
        begins = inner[0].isupper() and not inner.isupper()
        return not (begins and follows.islower())
    ended = SENTENCE_END.search(before.rstrip()) is not None
    return ended and not follows.islower() and not after.startswith(GOES_ON)


def _begins_a_turn(before: str, dialogue: bool) -> bool:
    """Whether nothing was said before in this line, or in this person's turn of the dialogue."""
    if not speakable(before):
        return True
    turn = DIALOGUE.search(before)
    if turn is None:
        return False
    return dialogue or SENTENCE_END.search(before[: turn.start()].rstrip()) is not None


def _describes(inner: str) -> bool:
    """Whether ``inner`` may describe a sound: two letters, or one of a script without capitals."""
    letters = [letter for letter in inner if letter.isalpha()]
    return len(letters) > 1 or any(letter.lower() == letter.upper() for letter in letters)


def _tidied(words: str) -> str:
    """Return ``words`` without the signs that an engine would read out, and their leftovers."""
    words = IN_A_WORD.sub("", TIMES.sub(" × ", words))
    words = SILENT_SIGN.sub(" ", words)
    for pattern, instead in LEFT_BEHIND:
        words = pattern.sub(instead, words)
    return words.strip()
