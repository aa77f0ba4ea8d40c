"""The context of the tasks of a pool process, built once when the process starts."""

from __future__ import annotations

import signal
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from dubbing.assembly.demucs import NONE, Separator
from dubbing.engines.engine import VoiceForm
from dubbing.engines.holding import Holding
from dubbing.engines.residency import Residency
from dubbing.errors import EngineMissing, Permanent, ReportedError, WorkerEnds
from dubbing.jobs.batch_work import BatchRunner, failed_result
from dubbing.jobs.pipeline import Pipeline, Reading
from dubbing.planning.plan import Batch
from dubbing.planning.result import BatchResult
from dubbing.proof.words import WordJudge
from dubbing.synthesis.clips import ClipStore
from dubbing.synthesis.known import Known, look_up
from dubbing.synthesis.progress import Prover
from dubbing.synthesis.speak import Speech
from dubbing.voices.forms import stored_form, voice_form

FORMS = 32
"""Maximum number of voice forms in memory."""
ENDING = signal.SIGURG
"""Signal to a pool process that its worker ends; a process without a handler ignores it."""


@dataclass(kw_only=True)
class Context:
    """The batch runner, and the engines of a process that has any."""

    runner: BatchRunner
    engines: Residency | None = None
    report: Callable[[Holding], object] = lambda holding: None
    """Reports the state of a process without engines."""
    separator: Separator = NONE
    """Removes the speech from films, in an assembly process."""
    judge: WordJudge | None = None
    """Judges the words of new takes; None without proof of words."""
    ending: bool = False
    """Whether the worker ends, so that this process takes no more work."""
    _forms: OrderedDict[tuple[str, str, str], VoiceForm] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        """Build the parts that the tasks of engines use."""
        self._lock = threading.Lock()
        self.clips = ClipStore(self.runner.storage)
        self.prover = Prover(self.judge) if self.judge else None
        self.pipeline = Pipeline(self.runner, self._look_up, self._prepare)
        if self.engines:
            # The engine may have to speak takes of the batch that is being stored again.
            self.engines.before_unloading = self.pipeline.settle

    @contextmanager
    def stoppable(self) -> Iterator[Callable[[], None]]:
        """Yield a check that raises WorkerEnds once this process or its worker has to end.

        SIGTERM does not kill this process during the block: supervisors send it to all processes of
        a worker, and the work must be returned first.
        """
        told = False

        def note(*_: object) -> None:
            nonlocal told
            told = True

        def check() -> None:
            if told or self.ending:
                raise WorkerEnds("this worker was told to end")

        before = signal.signal(signal.SIGTERM, note)
        try:
            yield check
        finally:
            signal.signal(signal.SIGTERM, before)

    def end(self) -> None:
        """Take no more work; called by a signal's handler."""
        self.ending = True
        self.pipeline.end()

    def close(self) -> None:
        """Finish spoken batches, and release batches that were only read."""
        self.pipeline.close()
        self.clips.close()
        if self.prover:
            self.prover.close()
        if self.engines:
            self.engines.close()

    @property
    def residency(self) -> Residency:
        """The engines; an assembly worker has none."""
        if self.engines is None:
            raise EngineMissing("this worker has no engines")
        return self.engines

    def leave(self, work: str, why: str) -> None:
        """Take no more work for an engine, or for ``assembly``. why: the reason to report."""
        if self.engines:
            self.engines.rest(work, why)
        else:
            self.report(Holding(begun=True, resting={work: why}))

    def _look_up(self, batch: Batch) -> Known | None:
        """Find the clips of a batch in storage, and the forms of its voices; called in a thread."""
        self._read_form(batch.engine, batch.voice.digest)
        self._read_form(batch.engine, batch.emotion_voice)
        engine = self.residency.held(batch.engine, batch.voice.base)
        return look_up(engine, self.clips, batch) if engine else None

    def _read_form(self, name: str, digest: str | None) -> None:
        engine = self.residency.held_alone(name)
        if engine is None or digest is None or (digest, name, engine.model) in self._forms:
            return
        form = stored_form(self.runner.storage, engine, digest)
        if form is not None:
            self._remember((digest, name, engine.model), form)

    def _prepare(self, read: Reading) -> Speech | BatchResult:
        batch = read.batch
        try:
            if read.needed and read.needed.error:
                # The failed extraction is not tried again.
                raise ReportedError(read.needed.error)
            return self.speech(batch, read.known)
        except (Permanent, ReportedError) as exc:
            return failed_result(batch, exc, self.runner.worker)

    def speech(self, batch: Batch, known: Known | None = None) -> Speech:
        """Return a batch with its loaded engine, and its voices in the engine's form.

        known: as of `Speech`.
        """
        name, voice = batch.engine, batch.voice
        spoken = self.form(name, voice.digest) if voice.digest else voice.stock or ""
        shown = self.form(name, batch.emotion_voice) if batch.emotion_voice else None
        engine = self.residency.engine(name, voice.base)
        return Speech(engine, self.clips, batch, spoken, shown, known, self.prover)

    def form(self, name: str, digest: str) -> VoiceForm:
        """Return an engine's form of a stored voice."""
        engine = self.residency.voicing(name)
        key = (digest, name, engine.model)
        form = self._forms.get(key)
        if form is None:
            with self.prover.speaking if self.prover else nullcontext():
                form = voice_form(self.runner.storage, engine, digest)
        self._remember(key, form)
        return form

    def _remember(self, key: tuple[str, str, str], form: VoiceForm) -> None:
        """Keep a form in memory as the most recently used one."""
        with self._lock:
            self._forms[key] = form
            self._forms.move_to_end(key)
            if len(self._forms) > FORMS:
                self._forms.popitem(last=False)


_process: list[Context] = []


def install(context: Context) -> None:
    """Set the context of this process."""
    _process[:] = [context]


def close() -> None:
    """Close the context of this process, if it has one."""
    for context in _process:
        context.close()


def current() -> Context:
    """Return the context of this process."""
    if not _process:
        raise RuntimeError("tasks run in worker processes, which install a context first")
    return _process[0]
