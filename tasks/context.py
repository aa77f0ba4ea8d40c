"""What a pool process holds for its tasks, built once when the process starts."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from dubbing.engine import Engine, VoiceForm
from dubbing.errors import EngineMissing
from dubbing.extraction import voice_form
from dubbing.voice import VoiceRef
from dubbing.work import Desk

FORMS = 32
"""Voice forms kept in memory."""


@dataclass(kw_only=True)
class Context:
    """The desk, and the loaded engine of a process that has one."""

    desk: Desk
    engine: Engine | None = None
    _forms: OrderedDict[str, VoiceForm] = field(default_factory=OrderedDict)

    def loaded(self) -> Engine:
        """Return the engine; an assembly worker has none."""
        if self.engine is None:
            raise EngineMissing("this worker has no engine loaded")
        return self.engine

    def voice(self, ref: VoiceRef) -> str | VoiceForm:
        """Return what the engine takes for a voice, derived or read at most once."""
        if ref.digest is None:
            return ref.stock or ""
        if ref.digest not in self._forms:
            form = voice_form(self.desk.storage, self.loaded(), ref.digest)
            self._forms[ref.digest] = form
            if len(self._forms) > FORMS:
                self._forms.popitem(last=False)
        self._forms.move_to_end(ref.digest)
        return self._forms[ref.digest]


_process: list[Context] = []


def install(context: Context) -> None:
    """Make ``context`` the one of this process."""
    _process[:] = [context]


def current() -> Context:
    """Return the context of this process."""
    if not _process:
        raise RuntimeError("tasks run in worker processes, which install a context first")
    return _process[0]
