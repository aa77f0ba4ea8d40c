"""The warnings of a report: the lines that a person should hear, and a loudness that is missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dubbing.assembly.report import Loudness
from dubbing.assembly.report_line import ReportLine

MOST_HEARD = 100
"""Characters of the words heard that a warning shows."""


def warnings(lines: Sequence[ReportLine], loudness: Loudness) -> tuple[str, ...]:
    """Return the warnings about a programme."""
    texts = [f"line {line.id} {line.note}" for line in lines if line.characters_over or line.error]
    texts += _in_other_words(lines)
    texts += _in_other_voices(lines)
    texts += _of_loudness(loudness)
    return tuple(texts)


def _in_other_words(lines: Sequence[ReportLine]) -> Iterator[str]:
    unjudged: Counter[str] = Counter()
    for line in lines:
        if line.misspoken and line.words:
            heard = line.words.text[:MOST_HEARD] or "nothing"
            yield f"line {line.id} seems to say other words, {heard!r}: hear it"
        elif line.words and line.words.uncertain:
            words = ", ".join(map(repr, line.words.uncertain))
            yield f"it is not certain that line {line.id} says {words}: hear it"
        elif line.words and line.words.unjudged:
            unjudged[line.words.unjudged] += 1
    for why, count in unjudged.items():
        counted = "1 line" if count == 1 else f"{count} lines"
        yield f"the words of {counted} were not judged: {why}"


def _of_loudness(loudness: Loudness) -> Iterator[str]:
    if loudness.integrated is None:
        yield "the programme is silent"
    elif loudness.speech is not None and loudness.speech < loudness.target - loudness.tolerance:
        yield (
            f"the speech is at {loudness.speech:.1f} LUFS, not at {loudness.target:g}: its peaks "
            "are too high for more"
        )
    elif loudness.won == "speech":
        yield (
            f"the programme is at {loudness.integrated:.1f} LUFS, which its profile "
            f"{loudness.profile} does not allow: its speech comes first, and is at "
            f"{loudness.target:g}"
        )


def _in_other_voices(lines: Sequence[ReportLine]) -> Iterator[str]:
    speakers = {line.voice: line.speaker for line in reversed(lines)}
    for line in lines:
        if line.sounds_like:
            other = f"{speakers[line.sounds_like]} ({line.sounds_like})"
            yield f"line {line.id} of {line.speaker} ({line.voice}) sounds like {other}: hear it"
