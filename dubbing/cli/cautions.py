"""Cautions as people read them: a few of a kind in full, many of a kind in one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dubbing.job.caution import Caution, Code

SHOWN = 3
"""Cautions of one kind that are printed in full; of more, only the first is."""

SUMMED: Mapping[Code, str] = {
    "too_dense": "lines are too dense",
    "script": "lines are in another script than their language's",
    "overlap": "lines begin before their speaker's last one has ended",
    "crosstalk": "lines begin before another speaker has ended",
    "beyond_film": "lines end after the film",
    "silent": "lines have nothing to say, and stay silent",
    "sound": "lines hold what looks like a sound",
    "lyrics": "lines hold what looks like lyrics",
    "comment": "comments are spoken, for lack of a blank line",
    "duplicate": "lines are written twice at the same time, and said once",
    "label": "lines begin with what may be a speaker's name",
    "language": "transcripts name the language themselves",
    "markup": "lines hold tags that are not spoken",
    "number": "numbers are taken for those of cues, and not spoken",
    "rolled_up": "scripts hold captions that roll up",
    "speakers": "cues seem to hold several speakers",
    "unreadable": "lines hold characters that were lost",
    "role": "speakers do not match the cast",
    "reference": "doubts about voices",
    "no_film": "scripts have no film",
    "no_script": "films or sounds have no script",
    "same_film": "scripts are dubbed over a film that another has in the same language",
}
"""What is said of many cautions of a kind, after their number."""


def print_cautions(cautions: Iterable[Caution]) -> None:
    """Print what may not come out as meant, to standard error."""
    for line in summed_up(cautions):
        click.echo(f"warning: {line}", err=True)


def summed_up(cautions: Iterable[Caution]) -> Iterator[str]:
    """Yield a line for each caution, or one for all of a kind when there are many."""
    kinds: dict[Code, list[Caution]] = defaultdict(list)
    for caution in cautions:
        kinds[caution.code].append(caution)
    for code, several in kinds.items():
        if len(several) <= SHOWN:
            yield from map(_line, several)
        else:
            words = SUMMED.get(code, f"cautions of the kind {code!r}")
            yield f"{len(several)} {words} (first: {_line(several[0])}); --json lists them all"


def _line(caution: Caution) -> str:
    return f"{caution.file}: {caution.message}" if caution.file else caution.message
