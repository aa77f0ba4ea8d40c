"""An engine that drops words: a published Piper voice, found when this folder is on the path.

At seed 0 it says the first half of each line. At other seeds it does so with lines that hold
``never``, and with those of more than 8 words that hold ``…``.
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
    words = line.text.split()
    long = "…" in words and len(words) > 8
    if line.seed and not long and "never" not in words:
        return line
    return replace(line, text=" ".join(words[: len(words) // 2]))
