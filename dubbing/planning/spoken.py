"""The spoken words of a job's lines, within bounds.

Putting a long text into words takes long, so its length is checked first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dubbing.job import Request, Segment
from dubbing.text.characters import speakable
from dubbing.text.sounds import Utterance, utterance_of
from dubbing.text.wording import Wording

LONGEST_NUMBER = 40
"""Maximum number of digits in a number; a longer one takes minutes to read out."""
NUMBER = re.compile(rf"\d(?:[.,'’_]?\d){{{LONGEST_NUMBER},}}")
SHORTENED = 4
"""Maximum ratio of the lengths of a text and its spoken words: signs are left out, and the
dictionary may shorten words."""
MOST_SPOKEN = 1_500_000
"""Maximum length of all spoken words, in characters: more than anybody says in 24 hours."""
MOST_EFFORT = 8_000
"""Maximum `Wording.effort` of all lines: some 2.5 s, and less than 5 s on a busy machine."""


class SpokenSegment(NamedTuple):
    """A segment and the words that are spoken for it."""

    segment: Segment
    utterance: Utterance
    said: str
    """The text that the engine is asked to speak."""
    silent: bool
    """Whether it has nothing to say."""


def spoken_segments(
    job: Request, limits: Mapping[str, int], wording: Wording
) -> Iterator[tuple[Segment, SpokenSegment | str]]:
    """Yield every segment with its spoken words, or with the reason why it has none.

    limits: the maximum number of characters that each speaker's engines speak at once.
    Ends with the segment at which all lines together are too long.
    """
    total = effort = 0
    for segment in job.segments:
        utterance = utterance_of(job, segment)
        if fault := _unreadable(utterance.words, limits.get(segment.speaker)):
            yield segment, fault
            continue
        effort += wording.effort(utterance.words)
        if effort > MOST_EFFORT:
            yield (
                segment,
                "too many clauses up to here hold figures, which take long to read: write numbers "
                "in words, or cut the script in parts",
            )
            return
        said = wording.spoken(utterance.words)
        total += len(said)
        if total > MOST_SPOKEN:
            yield (
                segment,
                f"the lines up to here have {total} characters as they are spoken, more than "
                f"{MOST_SPOKEN}, which takes longer than a day: cut the script in parts",
            )
            return
        silent = not speakable(utterance.words)
        yield segment, SpokenSegment(segment, utterance, said, silent)


def _unreadable(words: str, limit: int | None) -> str | None:
    """Return why a text is not put into words, or None if it is.

    limit: the maximum number of characters that its engines speak at once.
    """
    if NUMBER.search(words):
        return f"it holds a number of more than {LONGEST_NUMBER} digits: write it in words"
    if limit is not None and len(words) > limit * SHORTENED and speakable(words):
        return (
            f"{len(words)} characters are more than the {limit} that its engine speaks at once: "
            "split the cue"
        )
    return None
