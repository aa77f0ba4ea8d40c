"""Cautions printed for people: a few of one kind in full, many of one kind in one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from dubbing.cli.output import warn

if TYPE_CHECKING:
    from dubbing.job.caution import Caution, Code

SHOWN = 3
"""Up to this many cautions of one kind are printed in full; of more, only the first is."""

SUMMED: Mapping[Code, str] = {
    "too_dense": "lines are too dense",
    "script": "lines have words in another script than their language's",
    "overlap": "lines begin before the same speaker's last line has ended",
    "crosstalk": "lines begin before another speaker has ended",
    "beyond_film": "lines end after the film",
    "early_sound": "films have sound before their picture",
    "silent": "lines hold nothing to speak, and stay silent",
    "sound": "lines seem to hold a sound",
    "lyrics": "lines seem to hold lyrics",
    "comment": "notes lack a blank line below them: their cues are spoken",
    "duplicate": "lines are written twice at the same time, and spoken once",
    "label": "lines begin with what may be a speaker's name",
    "language": "transcripts' own languages are used, as no other is named",
    "markup": "lines hold tags that are not spoken",
    "number": "lines of figures are taken for cue numbers, and not spoken",
    "rolled_up": "scripts have roll-up captions",
    "speakers": "cues seem to hold several speakers",
    "unreadable": "lines have lost characters",
    "eviction": "jobs wait in a Redis that throws work away when its memory is full",
    "role": "speakers do not match the cast",
    "reference": "doubts about voices",
    "no_film": "scripts have no film",
    "no_script": "films or sounds have no script",
    "same_film": "scripts share their film and language with another script",
}
"""The summary of many cautions of one kind; it follows their number."""


def print_cautions(cautions: Iterable[Caution]) -> None:
    """Print cautions to standard error."""
    for line in summed_up(cautions):
        warn(line)


def summed_up(cautions: Iterable[Caution]) -> Iterator[str]:
    """Yield one line per caution, or one per kind with many cautions."""
    kinds: dict[Code, list[Caution]] = defaultdict(list)
    for caution in cautions:
        kinds[caution.code].append(caution)
    for code, several in kinds.items():
        if len(several) <= SHOWN:
            yield from map(in_words, several)
        else:
            words = SUMMED.get(code, f"cautions of the kind {code!r}")
            yield f"{len(several)} {words} (first: {in_words(several[0])}); --json lists them all"


def in_words(caution: Caution) -> str:
    """Return a caution in one line, with the file that it is about."""
    return f"{caution.file}: {caution.message}" if caution.file else caution.message
