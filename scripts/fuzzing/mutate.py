"""Makes inputs: mutations of valid ones, combinations of pieces, and repetitions up to 1 MB."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from fuzzing.seeds import TOKENS, VALUES
from fuzzing.targets import LANGUAGES
from fuzzing.trial import WHOLE

HEADS = {
    "srt": "1\n00:00:01,000 --> 00:00:02,000\n",
    "vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n",
    "ass": "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,Ann,0,0,0,,",
    "list": "script;language\na.srt;",
}
"""The beginning of an input of repeated pieces, so that the reader reaches the pieces."""
CUES = {
    "srt": "{n}\n{h:02}:{m:02}:{s:02},000 --> {h:02}:{m:02}:{s:02},900\n{text}\n\n",
    "vtt": "{h:02}:{m:02}:{s:02}.000 --> {h:02}:{m:02}:{s:02}.900\n{text}\n\n",
    "ass": "Dialogue: 0,{h}:{m:02}:{s:02}.00,{h}:{m:02}:{s:02}.90,Default,,0,0,0,,{text}\n",
    "dapt": '<div begin="{h:02}:{m:02}:{s:02}" dur="0.9s"><p><span>{text}</span></p></div>',
    "list": "a.srt;{text}\n",
    "transcript": '{{"start":{n},"end":{n}.9,"text":{quoted},"seek":0}},',
    "manifest": '{{"start":{n},"end":{n}.9,"text":{quoted}}},',
    "cast": '"{n}":{{"voice":{quoted}}},',
    "pronunciations": "{quoted}:{quoted},",
}
"""A cue, row or entry of a target's format."""
AROUND = {
    "vtt": ("WEBVTT\n\n", ""),
    "ass": ("[Events]\n", ""),
    "dapt": ('<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="de"><body>', "</body></tt>"),
    "list": ("script;language\n", ""),
    "transcript": ("[", "{}]"),
    "manifest": (
        '{"language":"LANGUAGE","engine":"tone","segments":[',
        '{"start":0,"end":1,"text":""}]}',
    ),
    "cast": ("{", '"Ann":{}}'),
    "pronunciations": ("{", '"a":"b"}'),
}
SIZES = (100, 1000, 5000, 20_000, 100_000, 300_000, WHOLE)
"""Bytes of an input that repeats its pieces; the largest are rare."""


class Mutator:
    """Makes the inputs of one target; the same seed makes the same ones."""

    def __init__(self, name: str, seeds: Sequence[bytes], rng: random.Random) -> None:
        self._name, self._seeds, self._rng = name, list(seeds), rng

    def next(self) -> bytes:
        """Return another input of at most 1 MB."""
        rng = self._rng
        ways: list[Callable[[], bytes]] = [self._changed] * 6 + [self._repeated]
        if self._name in CUES:
            ways += [self._of_cues] * 3
        if self._is_json:
            ways += [self._restructured] * 6
        return rng.choice(ways)()[:WHOLE]

    def learn(self, data: bytes) -> None:
        """Add an input to those that are mutated."""
        self._seeds.append(data)

    @property
    def _is_json(self) -> bool:
        return self._seeds[0][:1] in b"{["

    def _pieces(self) -> str:
        rng = self._rng
        return "".join(rng.choice(TOKENS) for _ in range(rng.choice((1, 1, 2, 2, 3, 5))))

    def _size(self) -> int:
        return self._rng.choices(SIZES, (20, 20, 20, 20, 6, 2, 1))[0]

    def _run(self, size: int) -> str:
        """Return a run of the same pieces, with others at its end."""
        pieces = self._pieces()
        run = self._pieces() + pieces * max(1, size // max(1, len(pieces.encode(errors="replace"))))
        return run[:size] + self._pieces()

    def _changed(self) -> bytes:
        """Return a known input with a few bytes changed."""
        rng, data = self._rng, bytearray(self._rng.choice(self._seeds))
        for _ in range(rng.choice((1, 1, 2, 4, 8))):
            at = rng.randrange(len(data) + 1)
            to = min(len(data), at + rng.choice((1, 2, 5, 20, 100)))
            match rng.randrange(7):
                case 0:
                    data[at:to] = b""
                case 1:
                    data[at:at] = data[at:to] * rng.choice((1, 2, 100))
                case 2:
                    data[at:to] = _encoded(self._pieces())
                case 3:
                    data[at:at] = _encoded(self._pieces())
                case 4:
                    data[at:to] = rng.randbytes(to - at)
                case 5:
                    other = rng.choice(self._seeds)
                    start = rng.randrange(len(other) + 1)
                    data[at:to] = other[start : start + rng.choice((5, 50, 500))]
                case _:
                    data[at:at] = _encoded(self._run(self._size()))
        return bytes(data)

    def _repeated(self) -> bytes:
        """Return repeated pieces at a place where the reader takes them for content."""
        run = self._run(self._size())
        if self._is_json:
            run = json.dumps(run, ensure_ascii=False)
        return _encoded(HEADS.get(self._name, "") + run)

    def _of_cues(self) -> bytes:
        """Return many cues, entries or rows with odd content, which may all differ."""
        rng = self._rng
        begin, end = AROUND.get(self._name, ("", ""))
        size, one = self._size(), rng.choice((10, 100, 900, 3000, 19_000))
        parts = [begin.replace("LANGUAGE", rng.choice(LANGUAGES))]
        length, number = 0, 0
        same = self._run(one)
        while length < size:
            number += 1
            text = rng.choice((same, same, self._run(one))) + rng.choice(("", "", f" {number}"))
            cue = CUES[self._name].format(
                n=number,
                h=number // 3600 % 24,
                m=number // 60 % 60,
                s=number % 60,
                text=text,
                quoted=json.dumps(text, ensure_ascii=False),
            )
            parts.append(cue)
            length += len(cue.encode(errors="replace"))
        return _encoded("".join([*parts, end]))

    def _restructured(self) -> bytes:
        """Return JSON with some of its values moved, removed, repeated or replaced."""
        rng = self._rng
        try:
            value = json.loads(rng.choice(self._seeds))
        except (ValueError, RecursionError):
            return self._changed()
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            value = self._altered(copy.deepcopy(value))
            # Repetitions multiply; the input must stay below 1 MB.
            if len(json.dumps(value)) > WHOLE:
                break
        depth = rng.choice((0,) * 30 + (100, 950, 5000))
        text = json.dumps(value, ensure_ascii=rng.random() < 0.3)
        return _encoded("[" * depth + text + "]" * depth)

    def _altered(self, value: Any) -> Any:
        rng = self._rng
        inner = list(_inner(value))
        if not inner or rng.random() < 0.1:
            return copy.deepcopy(rng.choice(VALUES))
        holder, key = rng.choice(inner)
        match rng.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                other = rng.choice((self._pieces(), "id", "text", "format", f"{key}x"))
                holder[other] = holder[key]
            case 1 | 2 if isinstance(holder, list):
                most = WHOLE // max(1, len(json.dumps(holder[key])))
                times = min(rng.choice((1, 10, 5000)), most)
                holder[key:key] = [copy.deepcopy(holder[key])] * times
            case 3:
                holder[key] = self._run(rng.choice((10, 100, 1000, 20_000)))
            case 4:
                holder[key] = copy.deepcopy(rng.choice(inner)[0])
            case _:
                holder[key] = copy.deepcopy(rng.choice(VALUES))
        return value


def _inner(value: Any) -> Any:
    """Yield every place inside a JSON value: the object or list, and the key or index."""
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from _inner(below)


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
