"""An engine that drops words: a published Piper voice, found when this folder is on the path.

At seed 0 it leaves out the second half of each line. A line with ``…`` it never says whole, unless
it is asked for its parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dubbing.engines.adapters.piper import Piper
from dubbing.engines.engine import Line, Spoken


class Mumbling(Piper):
    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        return super().synthesize([_mumbled(line) for line in lines])


def _mumbled(line: Line) -> Line:
    if line.seed and "…" not in line.text:
        return line
    words = line.text.split()
    # The parts of a line are short enough.
    said = words if "…" in line.text and len(words) <= 8 else words[: len(words) // 2]
    return replace(line, text=" ".join(said))
