"""A batch of lines becomes clips in storage.

What exists is not spoken; what is spoken is judged before it is stored; what fails is narrowed
down until it stands alone. Knows nothing of queues: a worker passes in what it counts and asks.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dubbing.audio import Audio, decode_clip, encode_flac, judge, level, trim
from dubbing.engine import Engine, EngineSpec, Line, Spoken, VoiceForm
from dubbing.errors import BadInput, DubbingError, EngineFailed, NotFound, SpeechRejected
from dubbing.plan import Batch, PlannedLine
from dubbing.result import SegmentResult, Take
from dubbing.storage import Keys, Storage

log = logging.getLogger(__name__)

SPEED_STEP = 0.05
"""Speeds are asked in these steps, so that a line that is asked again finds its clip."""
TRIES = 3
"""How often a line is spoken, each time with another seed, before its error is reported."""
MAX_DELIVERIES = 3
"""A line that was begun this often and never finished kills whoever speaks it."""
SEED_STRIDE = 1009
"""Distance of an attempt's seed from the one before."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What a worker counts and asks while a batch is spoken; the default is a batch without a job.

    begin: counts a delivery of lines; returns how often each was begun before and not finished.
    begin_again: counts another delivery of one line, which is spoken alone.
    check: raises unless the work is still wanted.
    """

    begin: Callable[[Sequence[str]], list[int]] = lambda ids: [0] * len(ids)
    begin_again: Callable[[str], object] = lambda id_: None
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class _Ask:
    """One take to be made: a line at a speed."""

    line: PlannedLine
    speed: float
    """Relative to the line's natural pace."""
    key: str


@dataclass
class _Outcome:
    """What is known of a line so far."""

    line: PlannedLine
    takes: list[Take] = field(default_factory=list)
    error: DubbingError | None = None
    attempts: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Synthesis:
    """Speaks batches with one loaded engine."""

    engine: Engine
    storage: Storage

    def speak(
        self, batch: Batch, voice: str | VoiceForm, watch: Watch | None = None
    ) -> list[SegmentResult]:
        """Return what became of each line of ``batch``, in its order.

        voice: what the engine takes for ``batch.voice``.
        """
        watch = watch or Watch()
        outcomes = {line.id: _Outcome(line, seed=line.seed) for line in batch.lines}
        natural = [self._ask(batch, line, 1.0) for line in batch.lines]
        unspoken = self._reuse(natural, outcomes)
        self._deliver(batch, unspoken, voice, outcomes, watch)
        self._hurry(batch, voice, outcomes, watch)
        return [self._result(outcomes[line.id]) for line in batch.lines]

    def _ask(self, batch: Batch, line: PlannedLine, speed: float) -> _Ask:
        key = clip_key(self.engine.spec, self.engine.model, batch, line, speed)
        return _Ask(line, speed, key)

    def _reuse(self, asks: Sequence[_Ask], outcomes: dict[str, _Outcome]) -> list[_Ask]:
        """Take what is stored; return what has to be spoken."""
        missing = []
        for ask in asks:
            try:
                clip = decode_clip(self.storage.get(ask.key))
            except NotFound:
                missing.append(ask)
            except BadInput:
                log.warning("clip %s is damaged and will be spoken again", ask.key)
                missing.append(ask)
            else:
                outcomes[ask.line.id].takes.append(_take(ask, clip))
        return missing

    def _hurry(
        self,
        batch: Batch,
        voice: str | VoiceForm,
        outcomes: dict[str, _Outcome],
        watch: Watch,
    ) -> None:
        """Speak the lines that are too long for their room once more, at the engine's own speed."""
        asks = []
        for outcome in outcomes.values():
            if outcome.takes:
                speed = hurried_speed(outcome.line, outcome.takes[0].seconds, self.engine.spec)
                if speed > 1.0:
                    asks.append(self._ask(batch, outcome.line, speed))
        unspoken = self._reuse(asks, outcomes)
        self._deliver(batch, unspoken, voice, outcomes, watch)
        for ask in unspoken:
            # The natural take is good: without a faster one, stretching has to do.
            if outcomes[ask.line.id].takes:
                outcomes[ask.line.id].error = None

    def _deliver(
        self,
        batch: Batch,
        asks: Sequence[_Ask],
        voice: str | VoiceForm,
        outcomes: dict[str, _Outcome],
        watch: Watch,
    ) -> None:
        """Speak lines together, but alone what was begun before and not finished."""
        # What was spoken in this delivery is counted already.
        new = [ask.line.id for ask in asks if not outcomes[ask.line.id].attempts]
        before = dict(zip(new, watch.begin(new), strict=True))
        fresh = [ask for ask in asks if not before.get(ask.line.id)]
        self._speak(batch, fresh, voice, outcomes, watch)
        for ask in asks:
            count = before.get(ask.line.id, 0)
            if count >= MAX_DELIVERIES:
                outcomes[ask.line.id].error = EngineFailed(
                    f"the line was begun {count} times, and no worker survived it"
                )
            elif count:
                watch.begin_again(ask.line.id)
                self._speak(batch, [ask], voice, outcomes, watch)

    def _speak(
        self,
        batch: Batch,
        asks: Sequence[_Ask],
        voice: str | VoiceForm,
        outcomes: dict[str, _Outcome],
        watch: Watch,
    ) -> None:
        """Speak, judge and store; what is refused is tried alone with other seeds."""
        pending = list(asks)
        for attempt in range(TRIES):
            if not pending:
                return
            # From the second try on every line stands alone, so that no other one can spoil it.
            calls = [pending] if attempt == 0 else [[ask] for ask in pending]
            for call in calls:
                watch.check()
                lines = [_line(batch, ask, voice, attempt) for ask in call]
                for ask, line, spoken in zip(call, lines, self._call(lines, watch), strict=True):
                    outcome = outcomes[ask.line.id]
                    outcome.attempts += 1
                    if not outcome.takes:
                        outcome.seed = line.seed
                    outcome.error = self._keep(ask, batch, spoken, outcome)
            pending = [ask for ask in pending if outcomes[ask.line.id].error]

    def _call(self, lines: list[Line], watch: Watch) -> list[Spoken]:
        """Ask the engine; when a call fails, halve it until the guilty line stands alone."""
        try:
            spoken = self.engine.synthesize(lines)
        except DubbingError as exc:
            error: DubbingError = exc
        except Exception as exc:  # noqa: BLE001 - an engine may raise anything; it is reported
            error = EngineFailed(f"{type(exc).__name__}: {exc}")
        else:
            if len(spoken) == len(lines):
                return spoken
            error = EngineFailed(
                f"the engine returned {len(spoken)} results for {len(lines)} lines"
            )
        log.warning("%s failed on %d lines: %s", self.engine.spec.name, len(lines), error)
        if len(lines) == 1:
            return [error]
        watch.check()
        middle = len(lines) // 2
        return self._call(lines[:middle], watch) + self._call(lines[middle:], watch)

    def _keep(
        self, ask: _Ask, batch: Batch, spoken: Spoken, outcome: _Outcome
    ) -> DubbingError | None:
        """Store a good clip; return why it is not one."""
        if isinstance(spoken, DubbingError):
            return spoken
        spec = self.engine.spec
        longest = spec.longest(ask.line.text, batch.language, ask.line.speed * ask.speed)
        try:
            judge(spoken, longest=longest)
        except SpeechRejected as exc:
            return exc
        outcome.takes.append(_take(ask, self._store(ask.key, trim(spoken))))
        return None

    def _store(self, key: str, clip: Audio) -> Audio:
        """Store a clip; return the one that will be heard, which is another's that came first."""
        data = encode_flac(clip)
        if self.storage.create(key, data):
            return clip
        try:
            return decode_clip(self.storage.get(key))
        except BadInput:
            self.storage.replace(key, data)
            return clip

    def _result(self, outcome: _Outcome) -> SegmentResult:
        return SegmentResult(
            id=outcome.line.id,
            takes=tuple(outcome.takes),
            error=outcome.error.to_record() if outcome.error else None,
            engine=self.engine.spec.name,
            model=self.engine.model,
            seed=outcome.seed,
            attempts=outcome.attempts,
        )


def clip_key(spec: EngineSpec, model: str, batch: Batch, line: PlannedLine, speed: float) -> str:
    """Return where the clip of what is asked lies: the same ask is the same clip, in any job."""
    asked = [
        spec.name,
        model,
        spec.recipe,
        batch.voice.identity,
        line.text,
        batch.language,
        line.pitch,
        line.style,
        round(line.speed * speed / SPEED_STEP),
        line.seed,
    ]
    return Keys.clip(hashlib.sha256(json.dumps(asked).encode()).hexdigest())


def hurried_speed(line: PlannedLine, seconds: float, spec: EngineSpec) -> float:
    """Return the speed, relative to the line's pace, at which it should fit; 1.0 when it does."""
    if seconds <= line.room:
        return 1.0
    slowest, fastest = spec.speed
    if fastest <= slowest:
        return 1.0
    needed = min(seconds / line.room, line.max_rate, fastest / line.speed)
    # Absolute speeds lie on the steps, and rounding up may not exceed the bounds.
    steps = math.ceil(round(needed * line.speed / SPEED_STEP, 6))
    highest = math.floor(round(min(line.max_rate * line.speed, fastest) / SPEED_STEP, 6))
    return max(1.0, min(steps, highest) * SPEED_STEP / line.speed)


def _line(batch: Batch, ask: _Ask, voice: str | VoiceForm, attempt: int) -> Line:
    return Line(
        text=ask.line.text,
        language=batch.language,
        voice=voice,
        speed=round(ask.line.speed * ask.speed, 4),
        pitch=ask.line.pitch,
        style=ask.line.style,
        seed=ask.line.seed + attempt * SEED_STRIDE,
    )


def _take(ask: _Ask, clip: Audio) -> Take:
    return Take(
        key=ask.key,
        speed=round(ask.speed, 4),
        seconds=clip.seconds,
        level=round(level(clip.samples), 2),
    )
