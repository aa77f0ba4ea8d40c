"""The orders of a soak: jobs and their customers' actions, decided by the seed and a number."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from dubbing.job import Segment
from dubbing.script.manifest import Manifest, ManifestRole

FEWEST, MOST = 20, 400
"""Lines of a job; most jobs are short."""
SPACING = 2.5
"""Seconds from one line to the next; long enough that no line needs a second take."""
SHARED = 400
"""Texts that occur in several jobs."""
TENANTS = ("amber", "birch", "cedar")
SOUND_LINES = 60
"""Jobs with at most this many lines may have a sound under them."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A job and its customer's actions."""

    job: Manifest
    poison: frozenset[str]
    """Ids of the lines that cannot be spoken."""
    again: int
    """Times that the same request is submitted again."""
    cancel_at: float | None
    """Share of its lines after which it is cancelled."""
    retry: bool
    """Whether it is retried when it fails or was cancelled."""
    older: bool
    """Whether it is submitted by the client of the release before."""
    deleted: bool = False
    """Whether it is deleted when it has ended and was not cancelled."""

    def __str__(self) -> str:
        job = self.job
        parts = [f"{job.id} of {job.tenant}: {len(job.segments)} lines"]
        parts += [f"poison in {', '.join(sorted(self.poison, key=int))}"] * bool(self.poison)
        parts += ["over a sound"] * bool(job.media)
        parts += [f"submitted {self.again + 1} times"] * bool(self.again)
        parts += [f"cancelled at {self.cancel_at:.0%}"] if self.cancel_at is not None else []
        parts += ["then retried"] * self.retry
        parts += ["then deleted"] * self.deleted
        return "; ".join(parts + ["submitted by the release before"] * self.older)


def make_order(seed: int, number: int, sound: Path, most: int = MOST) -> Order:
    """Return the order with this number.

    sound: a sound file as long as `SOUND_LINES` lines.
    """
    source = random.Random(f"{seed}/{number}")
    count = round(FEWEST * (most / FEWEST) ** source.random())
    poison = _poison(source, count)
    shared = source.sample(range(SHARED), count)
    segments = []
    for n in range(count):
        text, speaker = f"Job {number}, line {n}.", source.choice(("ada", "ben", "eve"))
        # Eve may speak by the tone engine, which ignores poison.
        if n in poison:
            text, speaker = f"{text} {poison[n]}", "ada"
        elif source.random() < 0.15:
            text, speaker = f"A line of many jobs, number {shared[n]}.", "ada"
        elif source.random() < 0.25:
            text += source.choice((" <slow:0.05>", " <slow:0.2>"))
        segments.append(_segment(n, speaker, text))
    over_a_sound = count <= SOUND_LINES and source.random() < 0.4
    return Order(
        job=Manifest(
            id=f"soak-{number}",
            # An unknown language: text is spoken as written, including digits.
            language="qaa",
            engine="faulty",
            # With a fixed voice, her lines are the same clips in every job.
            cast={
                "ada": ManifestRole(voice="low"),
                "eve": ManifestRole(engine=source.choice(("faulty", "tone"))),
            },
            segments=tuple(segments),
            media=str(sound) if over_a_sound else None,
            tenant=source.choice(TENANTS),
        ),
        poison=frozenset(map(str, poison)),
        again=source.choice((0, 0, 0, 1, 2)),
        cancel_at=source.uniform(0, 0.9) if source.random() < 0.2 else None,
        retry=source.random() < 0.5,
        older=source.random() < 0.1,
        deleted=source.random() < 0.3,
    )


def make_sound(path: Path) -> None:
    """Write a noise file, the background of the lines."""
    rate = 8000
    noise = np.random.default_rng(0).normal(0, 0.02, round(rate * SPACING * SOUND_LINES))
    soundfile.write(path, noise, rate)


def _poison(source: random.Random, lines: int) -> dict[int, str]:
    """Return the poison of each poisoned line."""
    words = []
    for word, chance, most in ("<kill>", 0.15, 1), ("<raise>", 0.15, 2), ("<silence>", 0.15, 3):
        if source.random() < chance:
            words += [word] * source.randint(1, most)
    return dict(zip(source.sample(range(lines), len(words)), words, strict=True))


def _segment(n: int, speaker: str, text: str) -> Segment:
    start = n * SPACING
    return Segment(id=str(n), start=start, end=start + SPACING - 0.1, speaker=speaker, text=text)
