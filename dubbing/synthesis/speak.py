"""Turns a batch of lines into clips in storage.

Stored clips are not spoken again. New speech is judged before it is stored. A failed call is halved
until the faulty line stands alone. The engine does not wait for storage: clips are looked up before
it begins, and stored while it continues. It does not wait for the proof of words either: `results`
has misspoken takes spoken again, while the next batch is spoken. This module does not know queues:
a worker passes in the functions of `Watch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain

from dubbing.engines.engine import Engine, Spoken, VoiceForm
from dubbing.engines.usage import EndpointUse, by_endpoint, metered
from dubbing.errors import (
    DubbingError,
    GivenUp,
    SpeechRejected,
)
from dubbing.media.pauses import find_decay, find_pauses
from dubbing.media.samples import judge, trim
from dubbing.planning.plan import Batch
from dubbing.planning.result import SegmentResult, Take
from dubbing.synthesis.ask import Ask, first_of_each, hurried_asks
from dubbing.synthesis.clips import ClipStore
from dubbing.synthesis.known import Known, look_up
from dubbing.synthesis.mending import TRIES, Mender
from dubbing.synthesis.mouth import HANDED_BACK, Mouth
from dubbing.synthesis.progress import Made, Progress, Prover
from dubbing.telemetry.context import bound

MAX_DELIVERIES = 3
"""Deliveries after which a line that was never finished is given up: it kills its workers."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Callbacks to the worker while a batch is spoken; the defaults serve a batch without a job.

    begin_alone: counts another delivery of a line that is spoken alone; earlier clips are stored.
    check: raises unless the work is still needed.
    """

    begin_alone: Callable[[str], object] = lambda id_: None
    check: Callable[[], None] = lambda: None


class Speech:
    """The speech of one batch: `run` has the engine speak, and `results` returns the outcome."""

    def __init__(
        self,
        engine: Engine,
        clips: ClipStore,
        batch: Batch,
        voice: str | VoiceForm,
        emotion_voice: VoiceForm | None = None,
        known: Known | None = None,
        prover: Prover | None = None,
    ) -> None:
        """Look up the stored clips of the batch, unless that was done before.

        engine: a loaded engine. voice: its stock voice for ``batch.voice``, or its form of it.
        emotion_voice: its form of ``batch.emotion_voice``.
        known: result of an earlier `look_up` for the batch, if the caller has it.
        prover: judges the words of new takes; without it, they are not judged.
        """
        self._engine = engine
        self._clips = clips
        self._batch = batch
        if known is None or known.model != engine.model:
            # Without it, or when the engine was loaded again meanwhile, with another model.
            known = look_up(engine, clips, batch)
        self._known = known
        self._prover = prover
        speaking = prover.speaking if prover else nullcontext()
        self._mouth = Mouth(engine, batch, voice, emotion_voice, speaking)
        self._before: Mapping[str, int] = {}
        self._uses: list[EndpointUse] = []
        self._outcomes = {line.id: Progress(line, tried=line.seed) for line in batch.lines}
        self._speakers: dict[str, Progress] = {}
        """The line that was spoken for each clip, by the clip's key; others may share it."""

    @property
    def unspoken(self) -> list[str]:
        """Ids of the lines that will be sent to the engine."""
        asks = (*self._known.natural, *self._known.hurried)
        missing = [ask for ask in asks if ask.key not in self._known.takes]
        return list(dict.fromkeys(ask.line.id for ask in first_of_each(missing).values()))

    def run(self, before: Mapping[str, int] | None = None, watch: Watch | None = None) -> None:
        """Make each line's natural take, then a faster take of lines that are too long.

        before: how often each line was begun before and not finished.
        Raises the errors `HANDED_BACK`, after all clips of earlier calls are stored.
        """
        self._before, self._watch = before or {}, watch or Watch()
        try:
            with metered() as uses:
                self._make(self._known.natural)
                self._make(self._hurried(self._outcomes.values()))
        except HANDED_BACK:
            wait(self._stores())
            raise
        self._uses += uses

    def results(self) -> list[SegmentResult]:
        """Return the result of each line in the order of the batch, after all clips are stored.

        Misspoken takes are spoken again first. Raises StorageUnavailable, and the errors
        `HANDED_BACK` of an engine that speaks again.
        """
        try:
            with metered() as uses:
                self._mend()
        except HANDED_BACK:
            wait(self._stores())
            raise
        self._uses += uses
        self._stores(doubtful=True)
        self._share_again()
        for outcome in self._outcomes.values():
            # The natural take is good: if there is no faster one, assembly stretches it.
            if outcome.takes:
                outcome.error = None
        return [self._result(outcome) for outcome in self._outcomes.values()]

    @property
    def used(self) -> tuple[EndpointUse, ...]:
        """The usage of the engine, by endpoint; complete after `results`."""
        if self._uses or not self._mouth.spoke:
            return by_endpoint(self._uses)
        seconds = round(self._mouth.spoke, 6)
        return (EndpointUse(engine=self._engine.spec.name, seconds=seconds),)

    def _make(
        self, asks: Sequence[Ask], speak: Callable[[Sequence[Ask]], None] | None = None
    ) -> None:
        """Take stored clips, and have the other clips spoken, each of them once.

        speak: called instead of `_deliver`.
        """
        missing = []
        for ask in asks:
            if take := self._known.takes.get(ask.key):
                self._outcomes[ask.line.id].takes.append(Made.of(ask, take))
            else:
                missing.append(ask)
        first = first_of_each(missing)
        for key, ask in first.items():
            self._speakers.setdefault(key, self._outcomes[ask.line.id])
        (speak or self._deliver)([*first.values()])
        for ask in missing:
            if first[ask.key] is not ask:
                mine = self._outcomes[ask.line.id]
                mine.error = self._speakers[ask.key].error
                mine.takes += self._shared(ask)

    def _shared(self, ask: Ask) -> list[Made]:
        """Return the take of the line that was spoken for an ask, as one of the ask's own line."""
        takes = self._speakers[ask.key].takes
        return [replace(made, ask=ask, shared=True) for made in takes if made.ask.key == ask.key]

    def _share_again(self) -> None:
        """Update shared takes, which may have been spoken again for their own lines."""
        for outcome in self._outcomes.values():
            kept = (self._shared(made.ask) if made.shared else [made] for made in outcome.takes)
            outcome.takes = list(chain.from_iterable(kept))

    def _deliver(self, asks: Sequence[Ask]) -> None:
        """Speak lines together; lines that were begun before and not finished are spoken alone."""
        self._speak([ask for ask in asks if not self._before.get(ask.line.id)])
        for ask in asks:
            if count := self._before.get(ask.line.id):
                self._speak_alone(ask, count)

    def _speak_alone(self, ask: Ask, count: int) -> None:
        outcome = self._outcomes[ask.line.id]
        if count >= MAX_DELIVERIES:
            outcome.error = GivenUp("the line")
            return
        # If this line kills the process, no other line is lost with it.
        for store in self._stores():
            store.result()
        if not outcome.attempts:
            self._watch.begin_alone(ask.line.id)
        self._speak([ask])

    def _stores(self, *, doubtful: bool = False) -> list[Future[Take]]:
        """Start storing all takes that are not stored yet; return the takes to come.

        Waits for the proof of their words. doubtful: also store misspoken takes.
        """
        for outcome in self._outcomes.values():
            for made in outcome.takes:
                if made.stored is None and not made.shared:
                    if made.misspoken and not doubtful:
                        # A faster take is only found by way of its natural take.
                        break
                    self._store(outcome, made)
        takes = [take for outcome in self._outcomes.values() for take in outcome.takes]
        return [take.stored for take in takes if isinstance(take.stored, Future)]

    def _store(self, outcome: Progress, made: Made) -> None:
        """Start storing a take."""
        assert made.sound is not None  # noqa: S101 - a take that is not stored has its sound
        # Stored first, so that whoever finds the faster take finds both.
        natural = outcome.takes[0].stored if outcome.takes else None
        after = natural if isinstance(natural, Future) else None
        words = made.words.result() if made.words else None
        waits = self._engine.spec.device != "cpu"
        made.stored = self._clips.store(made.ask, made.sound, after, words, waits=waits)

    def _speak(self, asks: Sequence[Ask]) -> None:
        """Speak and judge lines; speak rejected lines again, alone and with other seeds."""
        pending = list(asks)
        for attempt in range(TRIES):
            if not pending:
                return
            # From the second attempt on, each line is alone, so that no other line can spoil it.
            for call in [pending] if attempt == 0 else [[ask] for ask in pending]:
                self._watch.check()
                self._speak_together(call, attempt)
            pending = [ask for ask in pending if self._outcomes[ask.line.id].error]

    def _speak_together(self, asks: Sequence[Ask], attempt: int) -> None:
        """Speak and judge lines; raise an error that is no line's fault after noting the others."""
        away: DubbingError | None = None
        lines = [self._mouth.line(ask, attempt) for ask in asks]
        said = self._mouth.say(lines, self._watch.check)
        with bound(segment=asks[0].line.id if len(asks) == 1 else None):
            for ask, line, spoken in zip(asks, lines, said, strict=True):
                if isinstance(spoken, HANDED_BACK):
                    away = away or spoken
                else:
                    self._note(ask, line.seed, spoken)
        if away:
            raise away

    def _note(self, ask: Ask, seed: int, spoken: Spoken) -> None:
        """Keep the take or the error of a line."""
        outcome = self._outcomes[ask.line.id]
        outcome.attempts += 1
        if not outcome.takes:
            outcome.tried = seed
        made = self._judged(ask, seed, spoken)
        if isinstance(made, DubbingError):
            outcome.error = made
            return
        outcome.error = None
        if not self._prover:
            self._store(outcome, made)
        outcome.takes.append(made)

    def _judged(self, ask: Ask, seed: int, spoken: Spoken) -> Made | DubbingError:
        """Return a take, and start the proof of its words; or return why the sound is no take."""
        if isinstance(spoken, DubbingError):
            return spoken
        spec, language = self._engine.spec, self._batch.language
        speed = ask.line.speed * ask.speed
        try:
            judge(spoken, longest=spec.longest(ask.line.spoken, language, speed))
        except SpeechRejected as exc:
            return exc
        sound, prover = trim(spoken), self._prover
        words = prover.words(spec, language, ask, sound) if prover else None
        pauses, decay = find_pauses(sound), find_decay(sound)
        return Made(ask, sound.seconds, pauses, decay, sound, seed, words)

    def _hurried(self, outcomes: Iterable[Progress]) -> list[Ask]:
        """Return the faster asks for lines whose natural take is too long."""
        takes = [outcome.takes[0] for outcome in outcomes if outcome.takes]
        made = [(take.ask, take.shortest) for take in takes]
        return hurried_asks(self._engine, self._batch, made)

    def _mend(self) -> None:
        """Have misspoken takes spoken again, and drop faster takes that stay misspoken."""
        mender = Mender(self._mouth, self._judged, self._watch.check)
        changed = mender.mend(self._own(0), 0)
        for outcome in changed:
            del outcome.takes[1:]
        # These lines were spoken before, and killed no worker.
        self._make(self._hurried(changed), self._speak)
        mender.mend(self._own(1), 1)
        for outcome in self._outcomes.values():
            # Assembly stretches the natural take instead.
            if len(outcome.takes) > 1 and outcome.takes[1].misspoken:
                outcome.refused += 1
                del outcome.takes[1:]

    def _own(self, place: int) -> list[Progress]:
        """Return the lines with a natural take (0), or a faster take (1), that is not shared."""
        return [
            outcome
            for outcome in self._outcomes.values()
            if len(outcome.takes) > place and not outcome.takes[place].shared
        ]

    def _result(self, outcome: Progress) -> SegmentResult:
        return SegmentResult(
            id=outcome.line.id,
            takes=tuple(made.take() for made in outcome.takes),
            error=outcome.error.to_record() if outcome.error else None,
            engine=self._engine.spec.name,
            model=self._engine.model,
            seed=outcome.seed,
            attempts=outcome.attempts,
            refused=outcome.refused,
        )
