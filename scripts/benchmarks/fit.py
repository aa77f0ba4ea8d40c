"""The fit of lines to their time, compared with the published rules of other dubbing tools.

A real voice speaks the lines of a generated film through the worker's code, and assembly's code
fits them. Like a translator's, the script suits the voice: each cue is about as long as the natural
take of its line. Figures are means over several such films, because chance matters in a single one.
Faster takes are not spoken: a line is stretched more instead, and has the same rate. A line is on
time when its first sound is within 10 ms of its cue. It is too long when it runs more than 10 ms
into the next line or loses words; a line of ours also when our report says so.

- ``on_time``, ``too_long``: these shares. ``hurried``: share of lines over 1.1 times as fast as
  their natural take. ``rate_change``: median change of the rate between two lines of a speaker.
  ``fastest``: the highest rate. With the name of a profile or of a tool before: its figures.
- ``before_too_long``, ``before_hurried``: the same lines fitted by pace alone, without shortened
  pauses and without the gap before the next line.
- ``pauses``, ``with_pauses``: the share of pauses in the speech, and of lines with pauses.

Takes half a minute.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from benchmarks._peers import PEERS, Heard, Natural
from benchmarks._script import LANGUAGE, WORDS
from dubbing.assembly.programme import place
from dubbing.assembly.timeline import FitLine, Placement, fit
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, Line, Spoken
from dubbing.job import Fit, Job, Segment
from dubbing.job.fit import FITS
from dubbing.media.pauses import find_pauses
from dubbing.media.samples import TRIM_DB, TRIM_MARGIN, Audio, peak
from dubbing.planning.casting import cast_lines
from dubbing.planning.outcome import Outcome
from dubbing.planning.plan import plan_round
from dubbing.planning.rooms import line_rooms
from dubbing.storage import Storage
from dubbing.synthesis.clips import ClipStore
from dubbing.synthesis.speak import Speech

LINES = 320
FILMS = 20
"""Number of films with the same lines and takes, but other cue times."""
SPEAKERS = 5
SCENE = 16
"""Lines of a scene, which has two speakers."""
CLAUSE = (2, 5)
"""Fewest and most words of a clause."""
CUE = NormalDist(0.04, 0.3)
"""Distribution of the logarithm of a cue's length ÷ its line's length."""
BETWEEN = 0.8
"""Seconds from a cue to the next one, on average; 0.1 at least."""
ROOMY = 60.0
"""Seconds of a cue that fits any line."""
TAIL = 5.0
"""Seconds of the film after its last line."""
DEFAULT = "exact"
ON_TIME = 0.01
"""Seconds from its cue within which a line is on time."""
HURRIED = 1.1
"""Rate above which a line sounds hurried."""


AT_LEAST = {"on_time": 1.0}


def run() -> dict[str, float]:
    """Return the figures with eSpeak's voices."""
    return figures(voice("espeak"))


def voice(name: str) -> Engine:
    """Return an installed engine, loaded; its voices speak in turn."""
    engine: Engine = Catalogue().create(name)  # type: ignore[assignment]
    engine.load("cpu")
    return engine


def figures(engine: Engine, lines: int = LINES) -> dict[str, float]:
    """Return the figures of our fit, of its other profiles, and of each other tool, by their names.

    engine: loaded. lines: number of lines that it speaks.
    """
    said = script(lines)
    roomy = film(said, [ROOMY] * lines)
    ear = Listening(engine)
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        outcomes = spoken_by(ear, roomy, Storage.at(folder))
    lengths = [outcomes[line.id].result.takes[0].seconds for line in roomy.segments]
    takes = [ear.natural(line) for line in roomy.segments]
    films = [film(said, lengths, number) for number in range(FILMS)]
    found = [_figures_of(job, outcomes, takes) for job in films]
    return {
        "pauses": sum(sum(take.pauses) for take in takes) / sum(take.speech for take in takes),
        "with_pauses": statistics.mean(bool(take.pauses) for take in takes),
    } | {
        name: (max if name.endswith("fastest") else statistics.mean)(each[name] for each in found)
        for name in found[0]
    }


def script(lines: int) -> list[tuple[str, str]]:
    """Return the speaker and text of each line, in scenes of two speakers."""
    source = random.Random("speakers")
    pair = [0]
    said = []
    for number, text in enumerate(itertools.islice(_texts(random.Random("texts")), lines)):
        if number % SCENE == 0:
            pair = source.sample(range(SPEAKERS), 2)
        said.append((f"speaker {source.choice(pair)}", text))
    return said


def film(said: Sequence[tuple[str, str]], lengths: Sequence[float], number: int = 0) -> Job:
    """Return a job of lines whose cues differ from the lines in length.

    said: as `script` returns it. lengths: seconds of the natural take of each line.
    number: tells films of the same lines apart.

    The constants model a real film of 320 lines and 21.5 minutes in a real voice. Fitted by pace
    alone, 6 % of its lines were too long and 12.5 % hurried, 15 ran into the next one by 4.1 s in
    total, and pauses were 14.5 % of its speech, in 75 % of the lines. Cue lengths are spread evenly
    over their distribution, and assigned to lines at random.
    """
    source, count = random.Random(f"times {number}"), len(said)
    shares = [math.exp(CUE.inv_cdf((index + 0.5) / count)) for index in range(count)]
    source.shuffle(shares)
    at = 0.0
    segments = []
    for index, ((speaker, text), length) in enumerate(zip(said, lengths, strict=True)):
        if index % SCENE == 0:
            at += source.uniform(2, 12)
        end = at + length * shares[index]
        segments.append(
            Segment(
                id=str(index + 1),
                start=round(at, 3),
                end=round(end, 3),
                speaker=speaker,
                text=text,
            )
        )
        at = end + max(0.1, source.expovariate(1 / BETWEEN))
    return Job(id="fit", language=LANGUAGE, segments=tuple(segments), engine="any")


def by_pace(job: Job, outcomes: Mapping[str, Outcome], end: float) -> dict[str, Placement]:
    """Return placements without shortened pauses and without the gaps, by segment id."""
    rooms = line_rooms(job.segments, end)
    of_speakers: dict[str, list[FitLine]] = defaultdict(list)
    for line in job.segments:
        natural = outcomes[line.id].result.takes[0].model_copy(update={"pauses": (), "decay": 0.0})
        of_speakers[line.speaker].append(
            FitLine(
                id=line.id,
                start=line.start,
                room=rooms[line.id],
                text=line.text,
                takes=(natural,),
            )
        )
    return {one.id: one for lines in of_speakers.values() for one in fit(lines, job.fit)}


def _texts(source: random.Random) -> Iterator[str]:
    """Yield texts of one to three clauses, joined by commas or as separate sentences."""
    known = WORDS.split()
    while True:
        text = ""
        for _ in range(source.choice([1, 2, 2, 3])):
            clause = " ".join(source.choices(known, k=source.randint(*CLAUSE)))
            if text and source.random() < 0.5:
                text += f", {clause}"
            else:
                text += f"{text and '. '}{clause.capitalize()}"
        yield f"{text}."


class Listening:
    """An engine whose natural takes are measured as it returns them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.spec, self.model = engine.spec, engine.model
        self._takes: dict[str, Audio] = {}

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``; measure and keep the takes at the natural pace."""
        spoken = self._engine.synthesize(lines)
        for line, sound in zip(lines, spoken, strict=True):
            if line.speed == 1 and isinstance(sound, Audio):
                self._takes[line.text] = sound
        return spoken

    def natural(self, segment: Segment) -> Natural:
        """Return the lengths of the natural take of a line."""
        sound = self._takes[segment.text]
        audible = np.abs(sound.samples) > peak(sound.samples) * 10 ** (-TRIM_DB / 20)
        first, last = (int(at) / sound.rate for at in np.flatnonzero(audible)[[0, -1]])
        return Natural(
            start=segment.start,
            end=segment.end,
            lead=first,
            speech=last - first,
            tail=sound.seconds - last,
            pauses=tuple(end - start for start, end in find_pauses(sound)),
        )


def spoken_by(engine: Listening, job: Job, storage: Storage) -> dict[str, Outcome]:
    """Return the outcome of each line, as workers make and store it."""
    job = job.model_copy(update={"engine": engine.spec.name})
    specs = {engine.spec.name: engine.spec}
    clips = ClipStore(storage)
    outcomes = {}
    for batch in plan_round(cast_lines(job, job.segments, specs), job.language, specs):
        speech = Speech(engine, clips, batch, batch.voice.stock or "")  # type: ignore[arg-type]
        speech.run()
        for line, result in zip(batch.lines, speech.results(), strict=True):
            outcomes[line.id] = Outcome(line, 1, batch, result)
    clips.close()
    return outcomes


def _figures_of(
    job: Job, outcomes: Mapping[str, Outcome], takes: Sequence[Natural]
) -> dict[str, float]:
    """Return the figures of one film. takes: of its lines; their cue times are ignored."""
    end = job.length + TAIL
    told: dict[str, float] = {}
    for profile in FITS:
        fitted = job.model_copy(update={"fit": Fit(profile=profile)})
        placed = place(fitted, job.segments, outcomes, end)
        told |= _ours(job, placed, end, "" if profile == DEFAULT else f"{profile}_")
    before = _ours(job, by_pace(job, outcomes, end), end, "before_")
    told |= {name: before[name] for name in ("before_too_long", "before_hurried")}
    timed = [
        replace(take, start=segment.start, end=segment.end)
        for take, segment in zip(takes, job.segments, strict=True)
    ]
    for name, rule in PEERS.items():
        told |= _figures(job.segments, rule(timed, end), end, f"{name}_")
    return told


def _ours(
    job: Job, placed: Mapping[str, Placement], end: float, prefix: str = ""
) -> dict[str, float]:
    heard = [
        Heard(one.start + TRIM_MARGIN / one.stretch, one.end, one.rate, one.characters_over)
        for one in (placed[segment.id] for segment in job.segments)
    ]
    return _figures(job.segments, heard, end, prefix)


def _figures(
    segments: Sequence[Segment], heard: Sequence[Heard], end: float, prefix: str = ""
) -> dict[str, float]:
    """Return the shares of lines on time, too long and hurried, and figures of their rates."""
    limits = [*(segment.start for segment in segments[1:]), end]
    pairs = list(zip(segments, heard, strict=True))
    late = [abs(one.start - segment.start) > ON_TIME for segment, one in pairs]
    long = [
        one.lost > ON_TIME or one.end > limit + ON_TIME
        for one, limit in zip(heard, limits, strict=True)
    ]
    rates: Mapping[str, list[float]] = defaultdict(list)
    for segment, one in pairs:
        rates[segment.speaker].append(one.rate)
    changes = [
        abs(after / before - 1)
        for of_speaker in rates.values()
        for before, after in itertools.pairwise(of_speaker)
    ]
    return {
        f"{prefix}on_time": 1 - statistics.mean(late),
        f"{prefix}too_long": statistics.mean(long),
        f"{prefix}hurried": statistics.mean(one.rate > HURRIED for one in heard),
        f"{prefix}rate_change": statistics.median(changes),
        f"{prefix}fastest": max(one.rate for one in heard),
    }
