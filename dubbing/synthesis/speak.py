"""A batch of lines becomes clips in storage.

Clips that exist are not spoken again; new speech is judged before it is stored; a call that fails
is halved until the faulty line stands alone. The engine waits for no clip: they are looked up
before it begins, and stored while it goes on. Nor does it wait for the proof of words: takes that
say others are spoken again by `results`, while the next batch is under way. This module does not
know queues: a worker passes in the functions of `Watch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

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
from dubbing.synthesis.ask import Ask, first_of_each, hurried_asks, natural_asks
from dubbing.synthesis.clips import ClipStore
from dubbing.synthesis.mending import TRIES, Mender
from dubbing.synthesis.mouth import HANDED_BACK, Mouth
from dubbing.synthesis.progress import Made, Progress, Prover
from dubbing.telemetry.context import bound

MAX_DELIVERIES = 3
"""A line that was begun this often and never finished kills its workers, and is given up."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Callbacks to the worker while a batch is spoken; the defaults serve a batch without a job.

    begin_alone: counts another delivery of a line that is spoken alone, once all that was spoken
        before is stored.
    check: raises unless the work is still wanted.
    """

    begin_alone: Callable[[str], object] = lambda id_: None
    check: Callable[[], None] = lambda: None


class Known(NamedTuple):
    """What is known of a batch before its engine begins."""

    natural: list[Ask]
    """The ask of each line at the line's own pace."""
    hurried: list[Ask]
    """The faster asks of lines whose natural take is stored, and too long."""
    takes: Mapping[str, Take]
    """The takes of these asks that storage holds, by key."""


def look_up(engine: Engine, clips: ClipStore, batch: Batch) -> Known:
    """Return what storage holds of a batch.

    engine: only what it is, not what it does: it may be speaking meanwhile.
    """
    natural = natural_asks(engine, batch)
    found = clips.find(natural)
    made = [Made.of(ask, found[ask.key]) for ask in natural if ask.key in found]
    hurried = hurried_asks(engine, batch, ((one.ask, one.shortest) for one in made))
    return Known(natural, hurried, found | clips.find(hurried))


class Speech:
    """One batch, from its asks to its results."""

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
        """Find out what there is to speak.

        engine: a loaded engine. voice: the stock voice or form that it takes for ``batch.voice``.
        emotion_voice: the form that it takes for ``batch.emotion_voice``.
        known: what `look_up` returned for the batch; without it, the clips are looked up now.
        prover: has the words of new takes proven; without it, they are not.
        """
        self._engine = engine
        self._clips = clips
        self._batch = batch
        self._known = known or look_up(engine, clips, batch)
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
        """The ids of the lines that the engine is going to be asked for."""
        asks = (*self._known.natural, *self._known.hurried)
        missing = [ask for ask in asks if ask.key not in self._known.takes]
        return list(dict.fromkeys(ask.line.id for ask in first_of_each(missing).values()))

    def run(self, before: Mapping[str, int] | None = None, watch: Watch | None = None) -> None:
        """Make each line's natural take, then a faster take of lines that are too long.

        before: how often each line was begun before and not finished.
        Raises the errors `HANDED_BACK`; clips that were spoken before them are stored.
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
        """Return the result of each line in the order of the batch, once all clips are stored.

        Takes that say other words are spoken again before.

        Raises StorageUnavailable, and when lines are spoken again the errors `HANDED_BACK`.
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
        """What was used of the engine, once `results` has returned."""
        if self._uses or not self._mouth.spoke:
            return by_endpoint(self._uses)
        seconds = round(self._mouth.spoke, 6)
        return (EndpointUse(engine=self._engine.spec.name, seconds=seconds),)

    def _make(
        self, asks: Sequence[Ask], speak: Callable[[Sequence[Ask]], None] | None = None
    ) -> None:
        """Use the clips that are stored, speak the others, and a line that occurs twice once.

        speak: in place of `_deliver`.
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
        """Give lines what became of the takes that they share, once these are proven."""
        for outcome in self._outcomes.values():
            kept = (self._shared(made.ask) if made.shared else [made] for made in outcome.takes)
            outcome.takes = list(chain.from_iterable(kept))

    def _deliver(self, asks: Sequence[Ask]) -> None:
        """Speak lines together, but alone those that were begun before and not finished."""
        self._speak([ask for ask in asks if not self._before.get(ask.line.id)])
        for ask in asks:
            if count := self._before.get(ask.line.id):
                self._speak_alone(ask, count)

    def _speak_alone(self, ask: Ask, count: int) -> None:
        outcome = self._outcomes[ask.line.id]
        if count >= MAX_DELIVERIES:
            outcome.error = GivenUp("the line")
            return
        # Should this line kill the process, no other one is lost with it.
        for store in self._stores():
            store.result()
        if not outcome.attempts:
            self._watch.begin_alone(ask.line.id)
        self._speak([ask])

    def _stores(self, *, doubtful: bool = False) -> list[Future[Take]]:
        """Have the takes stored that are not yet; return those that are on their way to storage.

        Waits for the proof of their words. doubtful: store those too that say others.
        """
        for outcome in self._outcomes.values():
            for made in outcome.takes:
                if made.stored is None and not made.shared:
                    if made.misspoken and not doubtful:
                        # A faster take is found by its natural one alone.
                        break
                    self._store(outcome, made)
        takes = [take for outcome in self._outcomes.values() for take in outcome.takes]
        return [take.stored for take in takes if isinstance(take.stored, Future)]

    def _store(self, outcome: Progress, made: Made) -> None:
        """Have a clip stored."""
        assert made.sound is not None  # noqa: S101 - a take that is not stored has its sound
        # Whoever finds a faster take finds the natural one too, and speaks neither again.
        natural = outcome.takes[0].stored if outcome.takes else None
        after = natural if isinstance(natural, Future) else None
        words = made.words.result() if made.words else None
        waits = self._engine.spec.device != "cpu"
        made.stored = self._clips.store(made.ask, made.sound, after, words, waits=waits)

    def _speak(self, asks: Sequence[Ask]) -> None:
        """Speak and judge lines; try refused lines again, alone and with other seeds."""
        pending = list(asks)
        for attempt in range(TRIES):
            if not pending:
                return
            # From the second try on, each line stands alone, so that no other line can spoil it.
            for call in [pending] if attempt == 0 else [[ask] for ask in pending]:
                self._watch.check()
                self._speak_together(call, attempt)
            pending = [ask for ask in pending if self._outcomes[ask.line.id].error]

    def _speak_together(self, asks: Sequence[Ask], attempt: int) -> None:
        """Speak and judge lines; raise an error that is no line's once the others are noted."""
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
        """Have a good clip stored, or keep the error."""
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
        """Return a take, whose words are being proven, or why there is none."""
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
        """Speak takes again that say other words than were asked for."""
        mender = Mender(self._mouth, self._judged, self._watch.check)
        changed = mender.mend(self._own(0), 0)
        for outcome in changed:
            del outcome.takes[1:]
        # No worker died of these lines, which were spoken before.
        self._make(self._hurried(changed), self._speak)
        mender.mend(self._own(1), 1)
        for outcome in self._outcomes.values():
            # Assembly stretches a natural take that is right.
            if len(outcome.takes) > 1 and outcome.takes[1].misspoken:
                outcome.refused += 1
                del outcome.takes[1:]

    def _own(self, place: int) -> list[Progress]:
        """Return the lines that have a natural take (0), or a faster one (1), of their own."""
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
