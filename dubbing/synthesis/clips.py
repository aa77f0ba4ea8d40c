"""Reading and storing clips, many at once, without making the engine wait."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from dubbing.errors import BadInput, NotFound
from dubbing.media.pauses import find_decay, find_pauses
from dubbing.media.samples import Audio, level
from dubbing.planning.clip import Clip, encode_clip, load_clip_again
from dubbing.planning.result import Take, WordsHeard
from dubbing.storage import Storage
from dubbing.storage.parallel import AT_ONCE
from dubbing.synthesis.ask import Ask
from dubbing.telemetry.tracing import span

log = logging.getLogger(__name__)

Done = TypeVar("Done")


class Immediate(Executor):
    """Makes each call at once, in the caller's thread: a folder answers before a thread starts."""

    def submit(self, do: Callable[..., Done], /, *given: object, **named: object) -> Future[Done]:
        """Make the call; return its future, which is done."""
        future: Future[Done] = Future()
        try:
            future.set_result(do(*given, **named))
        except Exception as exc:  # noqa: BLE001 - the future raises it
            future.set_exception(exc)
        return future


class ClipStore:
    """The clips of a process. Only threads wait for a bucket, which may be far away."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        far = storage.path("") is None
        self._threads = ThreadPoolExecutor(AT_ONCE if far else 1, "clips")
        self._near: Executor = self._threads if far else Immediate()

    def find(self, asks: Iterable[Ask]) -> dict[str, Take]:
        """Return the stored takes, by key, without clips that are damaged or not the line's.

        Raises StorageUnavailable.
        """
        asked = [_started(self._near, self._find, ask) for ask in asks]
        return {take.key: take for one in asked if (take := one.result())}

    def store(
        self,
        ask: Ask,
        spoken: Audio,
        after: Future[Take] | None = None,
        words: WordsHeard | None = None,
        *,
        waits: bool = False,
    ) -> Future[Take]:
        """Start storing a clip; return its future take.

        after: another take, which is stored first. words: the proof of its words. waits: whether
        the engine only waits for a card or a server. Then a thread stores the clip even in a
        folder, so that the card need not wait; other engines would share a processor with it.
        """
        executor = self._threads if waits else self._near
        return _started(executor, self._store, ask, spoken, after, words)

    def close(self) -> None:
        """Wait until all clips are stored."""
        self._threads.shutdown()

    def _find(self, ask: Ask) -> Take | None:
        try:
            return _take(ask, self._stored(ask))
        except NotFound:
            return None
        except BadInput as exc:
            log.warning("clip %s will be spoken again: %s", ask.key, exc)
            return None

    def _store(
        self, ask: Ask, spoken: Audio, after: Future[Take] | None, words: WordsHeard | None
    ) -> Take:
        """Store a clip; return the stored one, which another worker may have stored first."""
        clip = encode_clip(spoken, ask.key, words)
        if after:
            after.result()
        with span("store clip", key=ask.key):
            return self._kept(ask, clip)

    def _kept(self, ask: Ask, clip: Clip) -> Take:
        """Store an encoded clip, as `_store` does."""
        if not self._storage.create(ask.key, clip.data):
            try:
                clip = self._stored(ask)
            except (NotFound, BadInput):
                self._storage.replace(ask.key, clip.data)
        return _take(ask, clip)

    def _stored(self, ask: Ask) -> Clip:
        """Return the stored clip of an ask; raises NotFound, or BadInput unless it is the line."""
        clip = load_clip_again(self._storage, ask.key)
        if clip.digest == ask.line.refused:
            raise BadInput("it is not the clip that was spoken for the line")
        return clip


def _started(executor: Executor, do: Callable[..., Done], *arguments: object) -> Future[Done]:
    """Call a function by an executor; its log lines name the batch as those of the caller."""
    return executor.submit(copy_context().run, do, *arguments)


def _take(ask: Ask, clip: Clip) -> Take:
    return Take(
        key=ask.key,
        speed=round(ask.speed, 4),
        seconds=clip.audio.seconds,
        level=round(level(clip.audio.samples), 2),
        pauses=find_pauses(clip.audio),
        decay=find_decay(clip.audio),
        digest=clip.digest,
        words=clip.words,
    )
