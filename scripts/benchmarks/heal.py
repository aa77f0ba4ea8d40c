"""Redis loses a share of some kinds of keys during jobs, or a worker with a wrong storage joins.

- ``heal_seconds``: time from a loss until every job has ended, the longest of all losses. It
  includes the remaining work, which takes a few seconds.
- ``median_seconds``: the median of the losses; ``undisturbed_seconds``: the same without a loss.
- ``hung``: jobs that had not ended a minute after the loss; they count as one minute.
- ``broken``: jobs that ended, but not as completed with every line heard from its clip.
- ``again``: lines that the engine began although their clip was stored.
- ``died``: workers that ended by themselves.
- ``losses``: losses that removed at least one key or entry.
- ``poison_ratio``: seconds of a job while two workers with a wrong storage try to join ÷ seconds
  of such a job without them, see ``_poison``; the median of several pairs.

Every loss removes 30 % of the keys, or of their entries, of one or two kinds, each kind in turn.
Two processes of a slow engine and one of assembly work on a few short jobs of two tenants, each
with a cloned voice.

Takes seven minutes.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import redis
import soundfile
from soaking.begun import Begun
from soaking.losses import KINDS, keys_by_kind, lose_entries, lose_keys

from benchmarks._poison import poison_ratio
from benchmarks._script import make_job, sentences
from benchmarks._system import faulty_engine, settings
from benchmarks._workers import Workers, wait_until_ready
from dubbing.assembly.report import Report
from dubbing.client import Client
from dubbing.embedded.stack import Stack
from dubbing.engines.adapters.tone import Tone
from dubbing.engines.engine import Line
from dubbing.job import JobState
from dubbing.jobs.store import End, latest_round, load_end
from dubbing.media.samples import Audio
from dubbing.planning.outcome import gather
from dubbing.planning.plan import Kind
from dubbing.queue import own_queue, queues_of
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.settings import Settings

AT_MOST = {"heal_seconds": 30, "hung": 0, "broken": 0, "again": 0, "died": 0, "poison_ratio": 1.3}

SEED = 1
ABSENT = {"counts", "servers", "shares", "spent"}
"""Kinds that only a long queue and remote engines have."""
LOST = tuple(kind for kind in KINDS if kind not in ABSENT)
AT_LEAST = {"losses": len(LOST)}
HANGS = 60.0
"""Seconds after a loss within which every job has to end."""
JOBS, LINES, SPEAKERS = 4, 24, 3
SLOT = 8.6
"""Seconds from one line to the next; enough for any line."""
PLAIN = "qaa"
"""An unknown language: text is spoken as written, with the digits that the engine obeys."""
SLOW = "<slow:0.1>"
ENGINES = ("faulty", Kind.ASSEMBLY)
FIRST, LAST = 0.1, 0.5
"""Least and greatest share of the lines that are begun before a loss."""
LATEST = 0.8
"""Share of begun lines at which a loss no longer waits for its kind to have keys."""
EARLY = {"held", "new"}
"""Kinds that have keys only at the beginning."""
SLACK = 1.0
"""Seconds between a worker's check for clips and the last line of the call that follows."""
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Loss:
    """A planned loss; the seed decides it."""

    kinds: tuple[str, ...]
    whole: bool
    """Whether whole keys are lost, or only entries of keys."""
    after: float
    """Share of the lines that are begun before."""
    seed: str

    def __str__(self) -> str:
        what = "keys" if self.whole else "entries"
        return f"{what} of {' and '.join(self.kinds)}"


@dataclass(frozen=True)
class Healed:
    """The outcome of the jobs after a loss."""

    seconds: float
    hung: int
    broken: int
    again: int
    died: int
    taken: int
    """Keys or entries that were lost."""

    def __str__(self) -> str:
        bad = f"{self.hung} hung, {self.broken} broken, {self.again} again, {self.died} died"
        return f"{self.taken} lost, {self.seconds:.1f} s, {bad}"


def run() -> dict[str, float]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        home = Path(folder)
        own, log = settings(home / "home", "faulty", slots=2), home / "begun"
        log.touch()
        with faulty_engine(FAULTY_LOG=str(log)), Stack(own, []), Workers() as workers:
            bench = Bench(own, workers, Begun(log), reference(home / "voice.wav"))
            bench.lose("warm", None)
            undisturbed = [bench.lose(f"undisturbed-{n}", None) for n in range(3)]
            healed = [bench.lose(f"loss-{n}", loss) for n, loss in enumerate(losses())]
        with faulty_engine():
            ratio = poison_ratio(home, lambda name: job(name, 4 * LINES), tell)
    return {
        "heal_seconds": max(one.seconds for one in healed),
        "median_seconds": statistics.median(one.seconds for one in healed),
        "undisturbed_seconds": statistics.median(one.seconds for one in undisturbed),
        "hung": sum(one.hung for one in healed),
        "broken": sum(one.broken for one in healed),
        "again": sum(one.again for one in healed),
        "died": sum(one.died for one in healed),
        "losses": sum(one.taken > 0 for one in healed),
        "poison_ratio": ratio,
    }


def losses() -> Iterator[Loss]:
    """Yield a loss of each kind, and often a second kind is lost with the first."""
    source = random.Random(SEED)
    for number, first in enumerate(source.sample(LOST, len(LOST))):
        second = source.choice(LOST)
        kinds = (first, second) if source.random() < 0.5 and second != first else (first,)
        after = 0.0 if EARLY & {*kinds} else source.uniform(FIRST, LAST)
        yield Loss(kinds, source.random() < 0.5, after, f"{SEED}/{number}")


class Bench:
    """Has jobs dubbed and Redis lose keys."""

    def __init__(self, own: Settings, workers: Workers, begun: Begun, voice: Path) -> None:
        self._own = own
        self._client = Client.connect(own)
        self._workers = workers
        self._begun = begun
        self._voice = voice
        for engine in ENGINES:
            self._start(engine)

    def lose(self, name: str, loss: Loss | None) -> Healed:
        """Submit jobs, lose keys, and return the outcome."""
        self._restarted()
        wait_until_ready(self._client, ENGINES)
        jobs = [self._job(f"{name}-{n}", n) for n in range(JOBS)]
        for one in jobs:
            self._client.submit(one)
        taken = self._strike(jobs, loss)
        struck, died = time.monotonic(), 0
        while (left := self._open(jobs)) and time.monotonic() - struck < HANGS:
            died += self._restarted()
            self._begun.look()
            time.sleep(LOOK_SECONDS)
        seconds = time.monotonic() - struck
        self._begun.look()
        broken = sum(not self._whole(one) for one in jobs if one not in left)
        again = sum(self._again(one) for one in jobs)
        healed = Healed(seconds, len(left), broken, again, died, taken)
        tell(f"{name}: {loss or 'nothing'}: {healed}")
        self._clear(left)
        return healed

    def _job(self, name: str, number: int) -> Manifest:
        cast = {"speaker 0": ManifestRole(reference=str(self._voice))}
        tenant = ("amber", "birch")[number % 2]
        return job(name, LINES).model_copy(update={"tenant": tenant, "cast": cast})

    def _strike(self, jobs: Sequence[Manifest], loss: Loss | None) -> int:
        """Lose keys when enough lines are begun; return how many keys or entries were lost."""
        texts, begun = {segment.text for one in jobs for segment in one.segments}, 0.0
        after = loss.after if loss else (FIRST + LAST) / 2
        while True:
            self._begun.look()
            begun = len(texts & {begin.text for begin in self._begun.all}) / len(texts)
            if begun >= after and not loss:
                return 0
            if loss and begun >= after and (taken := self._take(loss)):
                return taken
            if begun >= LATEST or not self._open(jobs):
                return 0
            time.sleep(LOOK_SECONDS / 10)

    def _take(self, loss: Loss) -> int:
        """Make a loss if its first kind has keys; return the number of removed keys or entries."""
        source = random.Random(loss.seed)
        with redis.from_url(self._own.redis, decode_responses=True) as server:
            found = keys_by_kind(server, self._queues())
            if loss.kinds[0] not in found:
                return 0
            take = lose_keys if loss.whole else lose_entries
            return sum(take(server, found.get(kind, ()), source) for kind in loss.kinds)

    def _queues(self) -> list[str]:
        own = [own_queue(worker.name) for worker in self._client.fleet.workers()]
        return [*(queue for engine in ENGINES for queue in queues_of(engine)), *own]

    def _open(self, jobs: Sequence[Manifest]) -> list[Manifest]:
        return [one for one in jobs if self._end(one) is None]

    def _end(self, one: Manifest) -> End | None:
        """Return how a job ended, from storage, which no loss of Redis affects."""
        storage = self._client.storage
        return load_end(storage, one.id, latest_round(storage, one.id))

    def _whole(self, one: Manifest) -> bool:
        end = self._end(one)
        if not end or end.state is not JobState.COMPLETED or not end.output:
            return False
        report = Report.model_validate_json(self._client.storage.get(f"{end.output}report.json"))
        heard = [line.id for line in report.lines if line.clip and not line.error]
        return heard == [segment.id for segment in one.segments]

    def _again(self, one: Manifest) -> int:
        """Return how many lines of a job were begun although their clip was stored."""
        storage, begun = self._client.storage, self._begun.by_text()
        outcomes = gather(storage, one.id, latest_round(storage, one.id))
        found = 0
        for outcome in outcomes.values():
            for take in outcome.result.takes[:1]:
                path = storage.path(take.key)
                assert path
                stored = path.stat().st_mtime
                # The first beginning made the clip, whenever it was noticed.
                later = begun.get(outcome.line.spoken, [])[1:]
                found += any(begin.at - stored > SLACK for begin in later)
        return found

    def _start(self, engine: str) -> None:
        self._workers.start(engine, self._own.model_copy(update={"engine": engine}))

    def _restarted(self) -> int:
        """Start workers again that ended; return how many."""
        ended = self._workers.ended()
        for engine in ended:
            self._start(engine)
        return len(ended)

    def _clear(self, left: Sequence[Manifest]) -> None:
        """Cancel jobs that hang, so that they do not disturb the next ones."""
        if not left:
            return
        with redis.from_url(self._own.redis) as server:
            server.flushall()
        for one in left:
            self._client.cancel(one.id)


def job(name: str, lines: int) -> Manifest:
    """Return a job of new lines, which take the engine a tenth of a second each."""
    texts = (f"{text} {SLOW}" for text in sentences(name))
    made = make_job(name, texts, lines, slot=SLOT, speakers=SPEAKERS)
    return made.model_copy(update={"language": PLAIN})


def reference(path: Path) -> Path:
    """Write a recording to be cloned."""
    tone = Tone()
    tone.load("cpu")
    (hum,) = tone.synthesize([Line(text="x" * 150, language="en", voice="low")])
    assert isinstance(hum, Audio)
    soundfile.write(path, hum.samples, hum.rate)
    return path


def tell(what: str) -> None:
    """Show progress; standard output is for the figures."""
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()
