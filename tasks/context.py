"""The context of the tasks of a pool process, built once when the process starts."""

from __future__ import annotations

import signal
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dubbing.engines.engine import Engine, VoiceForm
from dubbing.engines.holding import Holding
from dubbing.engines.residency import Residency
from dubbing.errors import EngineMissing, WorkerEnds
from dubbing.jobs.batch_work import BatchRunner
from dubbing.voices.forms import voice_form
from dubbing.voices.voice import VoiceRef

FORMS = 32
"""Voice forms kept in memory."""
ENDING = signal.SIGURG
"""Signal to a pool process that its worker ends; a process without a handler ignores it."""


@dataclass(kw_only=True)
class Context:
    """The batch runner, and the engines of a process that has any."""

    runner: BatchRunner
    engines: Residency | None = None
    report: Callable[[Holding], object] = lambda holding: None
    """Reports what a process without engines holds."""
    ending: bool = False
    """Whether the worker ends, so that this process takes no more work."""
    _forms: OrderedDict[tuple[str, str, str], VoiceForm] = field(default_factory=OrderedDict)

    @contextmanager
    def stoppable(self) -> Iterator[Callable[[], None]]:
        """Provide a check that raises WorkerEnds once this process or its worker is told to end.

        During the block SIGTERM does not kill this process: supervisors send it to all processes
        of a worker, and the work is to be handed back first.
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

    @property
    def residency(self) -> Residency:
        """The engines; an assembly worker has none."""
        if self.engines is None:
            raise EngineMissing("this worker has no engines")
        return self.engines

    def leave(self, work: str, why: str) -> None:
        """Take no more work for an engine, or for ``assembly``."""
        if self.engines:
            self.engines.rest(work, why)
        else:
            self.report(Holding(begun=True, resting={work: why}))

    def engine(self, name: str, ref: VoiceRef) -> Engine:
        """Return the loaded engine, or converter over an engine, that speaks in a voice."""
        return self.residency.engine(name, ref.base)

    def voice(self, name: str, ref: VoiceRef) -> str | VoiceForm:
        """Return the name of a stock voice, or the engine's form of a stored one."""
        if ref.digest is None:
            return ref.stock or ""
        engine = self.residency.voicing(name)
        key = (ref.digest, name, engine.model)
        if key not in self._forms:
            self._forms[key] = voice_form(self.runner.storage, engine, ref.digest)
            if len(self._forms) > FORMS:
                self._forms.popitem(last=False)
        self._forms.move_to_end(key)
        return self._forms[key]


_process: list[Context] = []


def install(context: Context) -> None:
    """Set the context of this process."""
    _process[:] = [context]


def current() -> Context:
    """Return the context of this process."""
    if not _process:
        raise RuntimeError("tasks run in worker processes, which install a context first")
    return _process[0]
