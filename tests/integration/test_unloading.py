"""Engines that are unloaded while a thread has lines of the last batch spoken again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from works import LINES, Works

from dubbing.client import Client
from dubbing.engines.adapters.tone import Tone
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Line, Spoken
from dubbing.engines.residency import Residency
from dubbing.planning.outcome import gather
from dubbing.planning.plan import read_refs
from dubbing.planning.result import WordsHeard
from dubbing.proof.words import WordJudge
from dubbing.settings import Settings
from dubbing.storage.keys import Keys
from dubbing.system import System
from tasks import speech
from tasks.context import Context, current, install

PAUSE = 0.2
"""Seconds in which an engine would be unloaded if nothing kept it."""


class Deaf(WordJudge):
    """Hears other words in each take."""

    def judge(self, *_: object) -> WordsHeard:
        return WordsHeard(right=False)


class Speaker(Tone):
    """An engine that speaks its second call on until another thread has had time to unload it."""

    spec = Tone.spec.model_copy(update={"says_words": True})
    calls = 0
    again = threading.Event()
    unloaded = threading.Event()
    cut_short = False

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        self.calls += 1
        if self.calls == 2:
            self.again.set()
            Speaker.cut_short = self.unloaded.wait(PAUSE)
        return super().synthesize(lines)

    def unload(self) -> None:
        self.unloaded.set()


class Point:
    """As much of an entry point as the catalogue uses."""

    def load(self) -> type[Tone]:
        return Speaker


def test_an_engine_that_speaks_lines_again_is_unloaded_after_them(
    tmp_path: Path, redis_url: str
) -> None:
    settings = Settings(storage_url=str(tmp_path / "storage"), redis_url=redis_url, engine="tone")
    works = Works(Client(System(settings)))
    engines = Residency(Catalogue(points={"tone": Point()}))
    install(Context(runner=works.runner, engines=engines, judge=Deaf(tmp_path)))
    (ref,) = read_refs(works.storage.get(Keys.plan("j", 1)))
    speech.synthesize(job="j", round=1, token=ref.token, queue=ref.queue)
    assert Speaker.again.wait(10)
    current().leave("tone", "it rests")
    assert Speaker.unloaded.is_set()
    current().pipeline.settle()
    assert not Speaker.cut_short
    refused = [outcome.result.refused for outcome in gather(works.storage, "j", 1).values()]
    assert min(refused) > 0 and len(refused) == LINES
    current().close()
