"""A batch of lines becomes clips in storage.

Clips that exist are not spoken again; new speech is judged before it is stored; a call that fails
is halved until the faulty line stands alone. This module does not know queues: a worker passes in
the functions of `Watch`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from dubbing.engines.engine import Engine, Line, Spoken, VoiceForm
from dubbing.errors import (
    BadInput,
    DubbingError,
    EngineAway,
    EngineFailed,
    GivenUp,
    NotFound,
    QueueUnavailable,
    SpeechRejected,
    Stopped,
    StorageUnavailable,
)
from dubbing.media.samples import Audio, judge, level, trim
from dubbing.planning.clip import Clip, encode_clip, load_clip
from dubbing.planning.plan import Batch, PlannedLine
from dubbing.planning.result import SegmentResult, Take
from dubbing.storage import Storage
from dubbing.synthesis.ask import Ask, clip_key, hurried_speed

log = logging.getLogger(__name__)

TRIES = 3
"""Attempts at a line, each with another seed, before its error is reported."""
MAX_DELIVERIES = 3
"""A line that was begun this often and never finished kills its workers, and is given up."""
SEED_STRIDE = 1009
"""Difference between the seeds of two successive attempts."""
HANDED_BACK = (EngineAway, Stopped, StorageUnavailable, QueueUnavailable)
"""An engine's errors that are no line's fault: the batch is handed back, and keeps its clips."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Callbacks to the worker while a batch is spoken; the defaults serve a batch without a job.

    begin: counts a delivery of lines; returns how often each was begun before and not finished.
    begin_again: counts another delivery of one line, which is spoken alone.
    check: raises unless the work is still wanted.
    """

    begin: Callable[[Sequence[str]], list[int]] = lambda ids: [0] * len(ids)
    begin_again: Callable[[str], object] = lambda id_: None
    check: Callable[[], None] = lambda: None


@dataclass
class _Progress:
    """The state of one line."""

    line: PlannedLine
    takes: list[Take] = field(default_factory=list)
    error: DubbingError | None = None
    attempts: int = 0
    seed: int = 0


def speak(
    engine: Engine,
    storage: Storage,
    batch: Batch,
    voice: str | VoiceForm,
    watch: Watch | None = None,
) -> list[SegmentResult]:
    """Return the result of each line of ``batch``, in the order of the batch.

    engine: a loaded engine. voice: the stock voice or form that it takes for ``batch.voice``.
    Raises the errors `HANDED_BACK`; clips that were spoken before them are stored.
    """
    return _Session(engine, storage, batch, voice, watch or Watch()).run()


class _Session:
    """One batch, from its asks to its results."""

    def __init__(
        self,
        engine: Engine,
        storage: Storage,
        batch: Batch,
        voice: str | VoiceForm,
        watch: Watch,
    ) -> None:
        self._engine = engine
        self._storage = storage
        self._batch = batch
        self._voice = voice
        self._watch = watch
        self._outcomes = {line.id: _Progress(line, seed=line.seed) for line in batch.lines}

    def run(self) -> list[SegmentResult]:
        """Make each line's natural take, then a faster take of lines that are too long."""
        self._make([self._ask(line, 1.0) for line in self._batch.lines])
        hurried = [
            self._ask(outcome.line, speed)
            for outcome in self._outcomes.values()
            if outcome.takes and (speed := self._hurried_speed(outcome)) > 1.0
        ]
        self._make(hurried)
        for outcome in self._outcomes.values():
            # The natural take is good: if there is no faster one, assembly stretches it.
            if outcome.takes:
                outcome.error = None
        return [self._result(outcome) for outcome in self._outcomes.values()]

    def _ask(self, line: PlannedLine, speed: float) -> Ask:
        return Ask(
            line, speed, clip_key(self._engine.spec, self._engine.model, self._batch, line, speed)
        )

    def _hurried_speed(self, outcome: _Progress) -> float:
        return hurried_speed(outcome.line, outcome.takes[0].seconds, self._engine.spec)

    def _make(self, asks: Sequence[Ask]) -> None:
        """Take each clip from storage, or speak it; speak a line that occurs twice only once."""
        unspoken = self._reuse(asks)
        first = {ask.key: ask for ask in reversed(unspoken)}
        self._deliver([ask for ask in unspoken if first[ask.key] is ask])
        for ask in unspoken:
            if first[ask.key] is not ask:
                self._share(first[ask.key], ask)

    def _share(self, spoken: Ask, ask: Ask) -> None:
        """Give a line the take, or the error, of another line with the same clip."""
        other, mine = self._outcomes[spoken.line.id], self._outcomes[ask.line.id]
        mine.error = other.error
        mine.takes += [
            take.model_copy(update={"speed": round(ask.speed, 4)})
            for take in other.takes
            if take.key == ask.key
        ]

    def _reuse(self, asks: Sequence[Ask]) -> list[Ask]:
        """Use the clips that are stored; return the asks that have to be spoken."""
        missing = []
        for ask in asks:
            try:
                clip = self._stored(ask)
            except NotFound:
                missing.append(ask)
            except BadInput as exc:
                log.warning("clip %s will be spoken again: %s", ask.key, exc)
                missing.append(ask)
            else:
                self._outcomes[ask.line.id].takes.append(_take(ask, clip))
        return missing

    def _deliver(self, asks: Sequence[Ask]) -> None:
        """Speak lines together; a line that was begun before and not finished is spoken alone."""
        # Lines that were attempted in this delivery are already counted.
        new = [ask.line.id for ask in asks if not self._outcomes[ask.line.id].attempts]
        before = dict(zip(new, self._watch.begin(new), strict=True))
        self._speak([ask for ask in asks if not before.get(ask.line.id)])
        for ask in asks:
            count = before.get(ask.line.id, 0)
            if count >= MAX_DELIVERIES:
                self._outcomes[ask.line.id].error = GivenUp("the line")
            elif count:
                self._watch.begin_again(ask.line.id)
                self._speak([ask])

    def _speak(self, asks: Sequence[Ask]) -> None:
        """Speak, judge and store lines; try refused lines again, alone and with other seeds."""
        pending = list(asks)
        for attempt in range(TRIES):
            if not pending:
                return
            # From the second try on, each line stands alone, so that no other line can spoil it.
            for call in [pending] if attempt == 0 else [[ask] for ask in pending]:
                self._watch.check()
                lines = [self._line(ask, attempt) for ask in call]
                for ask, line, spoken in zip(call, lines, self._call(lines), strict=True):
                    self._note(ask, line.seed, spoken)
            pending = [ask for ask in pending if self._outcomes[ask.line.id].error]

    def _line(self, ask: Ask, attempt: int) -> Line:
        return Line(
            text=ask.line.spoken,
            language=self._batch.language,
            voice=self._voice,
            base_voice=(self._batch.voice.stock or "") if self._batch.voice.base else "",
            speed=round(ask.line.speed * ask.speed, 4),
            pitch=ask.line.pitch,
            style=ask.line.style,
            seed=ask.line.seed + attempt * SEED_STRIDE,
        )

    def _call(self, lines: list[Line]) -> Iterator[Spoken]:
        """Call the engine; halve a call that fails until the faulty line stands alone.

        Yields the results of each call before the next one, so that they are stored in any case.
        """
        name = self._engine.spec.name
        try:
            spoken = self._engine.synthesize(lines)
        except HANDED_BACK:
            raise
        except DubbingError as exc:
            error: DubbingError = exc
        except Exception as exc:  # noqa: BLE001 - an engine may raise anything; it is reported
            error = EngineFailed(f"{type(exc).__name__}: {exc}")
        else:
            if len(spoken) == len(lines):
                yield from spoken
                return
            error = EngineFailed(f"{name} returned {len(spoken)} results for {len(lines)} lines")
        log.warning("%s failed on %d lines: %s", name, len(lines), error)
        if len(lines) == 1:
            yield error
            return
        self._watch.check()
        middle = len(lines) // 2
        yield from self._call(lines[:middle])
        yield from self._call(lines[middle:])

    def _note(self, ask: Ask, seed: int, spoken: Spoken) -> None:
        """Keep a good clip, or the error; raise an error that is no line's."""
        if isinstance(spoken, HANDED_BACK):
            raise spoken
        outcome = self._outcomes[ask.line.id]
        outcome.attempts += 1
        if not outcome.takes:
            outcome.seed = seed
        outcome.error = spoken if isinstance(spoken, DubbingError) else self._fault(ask, spoken)
        if isinstance(spoken, Audio) and not outcome.error:
            outcome.takes.append(_take(ask, self._store(ask, trim(spoken))))

    def _fault(self, ask: Ask, spoken: Audio) -> SpeechRejected | None:
        """Return why ``spoken`` cannot be the line, or None."""
        speed = ask.line.speed * ask.speed
        longest = self._engine.spec.longest(ask.line.spoken, self._batch.language, speed)
        try:
            judge(spoken, longest=longest)
        except SpeechRejected as exc:
            return exc
        return None

    def _stored(self, ask: Ask) -> Clip:
        """Return the stored clip of an ask; raises NotFound, or BadInput unless it is the line."""
        clip = load_clip(self._storage, ask.key)
        if clip.digest == ask.line.refused:
            raise BadInput("it is not the clip that was spoken for the line")
        return clip

    def _store(self, ask: Ask, spoken: Audio) -> Clip:
        """Store a clip; return the stored one, which another worker may have stored first."""
        clip = encode_clip(spoken, ask.key)
        if self._storage.create(ask.key, clip.data):
            return clip
        try:
            return self._stored(ask)
        except (NotFound, BadInput):
            self._storage.replace(ask.key, clip.data)
            return clip

    def _result(self, outcome: _Progress) -> SegmentResult:
        return SegmentResult(
            id=outcome.line.id,
            takes=tuple(outcome.takes),
            error=outcome.error.to_record() if outcome.error else None,
            engine=self._engine.spec.name,
            model=self._engine.model,
            seed=outcome.seed,
            attempts=outcome.attempts,
        )


def _take(ask: Ask, clip: Clip) -> Take:
    return Take(
        key=ask.key,
        speed=round(ask.speed, 4),
        seconds=clip.audio.seconds,
        level=round(level(clip.audio.samples), 2),
        digest=clip.digest,
    )
