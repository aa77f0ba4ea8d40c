"""After a soak: checks whether the strikes explain how often each text was begun."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from soaking.begun import Begin
from soaking.customers import Life
from soaking.havoc import Struck
from soaking.orders import Order
from soaking.strikes import Blow
from system import System

from dubbing.synthesis.speak import MAX_DELIVERIES, TRIES

HALVINGS = 3
"""Times that a line is begun when another line fails its call: in fours, in twos, and alone."""
BATCH = 4
"""Lines per call."""
SLACK = 3.0
"""Seconds between a worker's check for a clip and the last line of the call that follows."""
AFTERMATH = 15.0
"""Seconds after a strike in which its effects show: expired leases, lost messages and calls."""
LOST_TOUCH = frozenset({Blow.FREEZE, Blow.KILL_REDIS, Blow.FORGET, Blow.PROMOTE})
"""Blows after which two workers may take the same batch without knowing of each other."""
FORGOTTEN = LOST_TOUCH | {Blow.EVICT, Blow.LOSE}
"""Blows after which deliveries are counted from 0 again, because only Redis holds their counts."""


class Again:
    """Looks for lines that were begun more often than the strikes explain."""

    def __init__(
        self,
        system: System,
        lives: list[Life],
        begun: Mapping[str, list[Begin]],
        past: list[Struck],
        damaged: Collection[str],
        collected: Mapping[str, int],
    ) -> None:
        """Take the events of a soak.

        lives: the jobs. begun: the beginnings of each text. past: the strikes.
        damaged: keys of clips that a strike damaged. collected: how often each clip was removed
        as garbage, by its key.
        """
        self._damaged = damaged
        self._collected = collected
        self._storage = system.client.storage
        self._begun = begun
        self._past = past
        self._slots = 2 * (system.settings.slots or 1)
        self._once: Counter[str] = Counter()
        """How often an undisturbed run may begin each text."""
        for life in lives:
            self._once.update(undisturbed(life.order))
        self.repeated = sum(max(0, len(begins) - self._once[t]) for t, begins in begun.items())
        """Beginnings beyond those of an undisturbed run."""
        self.taken_over = sum(len({b.pid for b in begins}) > 1 for begins in begun.values())
        """Texts that more than one process began."""

    def faults(self, clips: Mapping[str, str]) -> Iterator[str]:
        """Yield lines that were begun without need; ``clips``: the text of each clip by its key."""
        gone: Counter[str] = Counter()
        for key, times in self._collected.items():
            gone[clips.get(key, "")] += times
        yield from self._too_often(gone)
        yield from self._although_stored(clips)
        bound = (len(self._past) + self._deadly()) * self._slots * BATCH * HALVINGS
        bound += gone.total()
        if self.repeated > bound:
            yield f"{self.repeated} lines were begun again, where {bound} are explained"

    def _too_often(self, gone: Mapping[str, int]) -> Iterator[str]:
        """Yield the texts that were begun more often than deliveries allow.

        gone: how often the clip of a text was removed.
        """
        for text, begins in self._begun.items():
            first, last = begins[0].at, begins[-1].at
            # A worker that lost touch with Redis counts no deliveries.
            lost = sum(
                struck.strike.blow in FORGOTTEN and first - AFTERMATH < struck.since < last
                for struck in self._past
            )
            bound = (self._once[text] + gone[text]) * (MAX_DELIVERIES + lost)
            if len(begins) > bound:
                yield f"{text!r} was begun {len(begins)} times, where {bound} are explained"

    def _although_stored(self, clips: Mapping[str, str]) -> Iterator[str]:
        """Yield the texts that were begun although their clip was stored."""
        stored: dict[str, float] = {}
        # A damaged clip has to be spoken again, at an unknown time after a worker reads it.
        whole = {key: text for key, text in clips.items() if key not in self._damaged}
        for key, text in whole.items():
            path = self._storage.path(key)
            # Missing clips are reported by the audit.
            if path and path.exists():
                stored[text] = path.stat().st_mtime
        for text, when in stored.items():
            # The first beginning made the clip, even if the log shows it later.
            for begin in self._begun.get(text, [])[1:]:
                late = begin.at - when
                if late > SLACK and not self._out_of_touch(begin.at):
                    yield f"{text!r} was begun {late:.1f} s after its clip was stored"

    def _out_of_touch(self, at: float) -> bool:
        return any(
            struck.strike.blow in LOST_TOUCH and struck.since <= at <= struck.until + AFTERMATH
            for struck in self._past
        )

    def _deadly(self) -> int:
        """Return how often a line killed its process."""
        return sum(len(begins) for text, begins in self._begun.items() if "<kill>" in text)


def undisturbed(order: Order) -> Counter[str]:
    """Return how often each text of a job may be begun without strikes."""
    texts = [segment.text for segment in order.job.segments]
    halved = any("<raise>" in text for text in texts)
    counts = Counter(dict.fromkeys(texts, HALVINGS if halved else 1))
    for segment in order.job.segments:
        if segment.id in order.poison:
            counts[segment.text] = (TRIES + HALVINGS) * (1 + order.retry)
    return counts
