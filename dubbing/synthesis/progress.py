"""The progress of the lines of a batch: their takes so far, and the proof of their words."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from threading import Lock

from dubbing.engines.engine import EngineSpec
from dubbing.errors import DubbingError
from dubbing.media.samples import Audio
from dubbing.planning.pauses import Span, spare
from dubbing.planning.plan import PlannedLine
from dubbing.planning.result import Take, WordsHeard
from dubbing.proof.words import WordJudge
from dubbing.synthesis.ask import Ask

WORDLESS = "the engine speaks no words"
"""Why takes of an engine that hums are not judged."""


class Prover:
    """Judges the words of takes in threads, while the engine continues."""

    def __init__(self, judge: WordJudge) -> None:
        self._judge = judge
        self._threads = ThreadPoolExecutor(judge.threads, "words")
        self.speaking = Lock()
        """Held while an engine speaks: the thread that stores a batch has its misspoken takes
        spoken again, between two calls for the next batch."""

    def words(self, spec: EngineSpec, language: str, ask: Ask, audio: Audio) -> Future[WordsHeard]:
        """Start the proof of a take; return its future.

        spec: of the engine; takes of an engine that says no words are not judged.
        """
        if not spec.says_words:
            unjudged: Future[WordsHeard] = Future()
            unjudged.set_result(WordsHeard(unjudged=WORDLESS))
            return unjudged
        judge, text = self._judge.judge, ask.line.spoken
        return self._threads.submit(copy_context().run, judge, spec.name, language, text, audio)

    def close(self) -> None:
        """Wait until every take is judged."""
        self._threads.shutdown()


@dataclass
class Made:
    """A take of a line: judged or being judged, stored or on its way to storage."""

    ask: Ask
    seconds: float
    pauses: Sequence[Span] = ()
    decay: float = 0.0
    """Seconds at its end in which it only dies away."""
    sound: Audio | None = None
    """The speech of a take that is not stored yet."""
    seed: int = 0
    """Seed of the attempt."""
    words: Future[WordsHeard] | None = None
    """The proof of its words, where there is one."""
    stored: Take | Future[Take] | None = None
    """None until its words are proven."""
    shared: bool = False
    """Whether another line of the batch, with the same clip, was spoken for it."""

    @classmethod
    def of(cls, ask: Ask, take: Take) -> Made:
        """Return a stored take."""
        return cls(ask, take.seconds, take.pauses, take.decay, seed=ask.line.seed, stored=take)

    @property
    def shortest(self) -> float:
        """Its seconds without its decay, and with pauses as short as its line allows."""
        return self.seconds - self.decay - spare(self.pauses, self.ask.line.min_pause)

    @property
    def misspoken(self) -> bool:
        """Whether wrong words were heard in it; waits for the proof of a new take."""
        return self.words is not None and self.words.result().right is False

    def better_than(self, other: Made) -> bool:
        """Whether its words are nearer to the text than another take's; waits for both proofs."""
        return self._distance < other._distance

    @property
    def _distance(self) -> tuple[bool, int, float, float]:
        heard = self.words.result() if self.words else WordsHeard()
        least = heard.evidence or 0.0
        return self.misspoken, len(heard.uncertain), heard.errors, -least

    def take(self) -> Take:
        """Wait until the take is stored, and return it."""
        assert self.stored is not None  # noqa: S101 - it is stored once its words are proven
        take = self.stored if isinstance(self.stored, Take) else self.stored.result()
        speed = round(self.ask.speed, 4)
        return take if take.speed == speed else take.model_copy(update={"speed": speed})


@dataclass
class Progress:
    """The state of one line."""

    line: PlannedLine
    tried: int
    """Seed of the last attempt at its natural take."""
    takes: list[Made] = field(default_factory=list)
    error: DubbingError | None = None
    attempts: int = 0
    refused: int = 0
    """Number of takes that were dropped for wrong words."""

    @property
    def seed(self) -> int:
        """Seed of its natural take; without one, that of the last attempt."""
        return self.takes[0].seed if self.takes else self.tried

    def replace(self, old: Made, new: Made) -> None:
        """Keep the better of two takes of one ask."""
        self.refused += 1
        if new.better_than(old):
            self.takes[self.takes.index(old)] = new
