"""Engines that leave out words: a published Piper voice, found when this folder is on the path.

``mumbling`` says the first half of each line at seed 0. At other seeds it does so with lines that
hold ``never``, and with those of more than 8 words that hold ``…``.

``dropping`` leaves out one word, neither the first nor the last one, in a share of its takes,
DROPPING_SHARE. The file named by DROPPING_LOG gets a line for each take: the line's text, speed and
seed, and the text that was said, as JSON.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dubbing.engines.adapters.piper import Piper
from dubbing.engines.engine import Line, Spoken


class Mumbling(Piper):
    def load(self, device: str) -> None:
        import onnxruntime

        # With Piper's noise, a few takes of a hundred are misheard by chance.
        onnxruntime.set_seed(1)
        super().load(device)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        return super().synthesize([_mumbled(line) for line in lines])


class Dropping(Piper):
    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        said = [_dropped(line) for line in lines]
        _note(lines, said)
        return super().synthesize(said)


def _mumbled(line: Line) -> Line:
    words = line.text.split()
    long = "…" in words and len(words) > 8
    if line.seed and not long and "never" not in words:
        return line
    return replace(line, text=" ".join(words[: len(words) // 2]))


def _dropped(line: Line) -> Line:
    words = line.text.split()
    source = random.Random(f"{line.seed} {line.speed} {line.text}")
    if len(words) < 3 or source.random() >= float(os.environ.get("DROPPING_SHARE", "0.05")):
        return line
    place = source.randrange(1, len(words) - 1)
    return replace(line, text=" ".join(words[:place] + words[place + 1 :]))


def _note(lines: Sequence[Line], said: Sequence[Line]) -> None:
    if path := os.environ.get("DROPPING_LOG"):
        with Path(path).open("a") as log:
            for line, each in zip(lines, said, strict=True):
                log.write(json.dumps([line.text, line.speed, line.seed, each.text]) + "\n")
