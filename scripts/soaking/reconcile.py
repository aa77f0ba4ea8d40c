"""After a soak: a comparison of everything acknowledged with storage, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import redis
from pydantic import ValidationError
from soaking.begun import Begin
from soaking.customers import Life
from soaking.havoc import Struck
from soaking.losses import BINDINGS, MESSAGES, kind_of
from soaking.strikes import WORKERS, Blow
from system import System

from dubbing.assembly.report import Report
from dubbing.assembly.report_line import ReportLine
from dubbing.errors import BadInput, ErrorRecord, GivenUp, NotFound
from dubbing.job import JobState
from dubbing.jobs.store import load_end, load_job
from dubbing.ledger.records import PREFIX
from dubbing.planning.clip import load_clip
from dubbing.planning.outcome import Outcome, gather, load_result
from dubbing.planning.plan import read_refs
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.synthesis.speak import MAX_DELIVERIES

KEPT = frozenset({"jobs", "events", "workers", "holding", "slots", "turns", "pace", "hour"}) | {
    "totals",
    "work",
    "installation",
    "began",
    BINDINGS,
    MESSAGES,
}
"""Kinds of keys that Redis may hold when every job has ended. Keys of jobs expire; messages to a
killed worker have no receiver."""
LATE = 1.0
"""Seconds after its end in which a round may still write its last results."""


class Audit:
    """Looks for faults, and counts jobs and lines.

    begun: when the faulty engine began each text.
    dead: processes that were killed, by the soak or by a line.
    past: the strikes that were made.
    hidden: results that strikes removed for a time, in which their clips may count as garbage.
    """

    def __init__(
        self,
        system: System,
        begun: Mapping[str, list[Begin]],
        dead: set[int],
        past: Sequence[Struck],
        hidden: Collection[str] = (),
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.clips: dict[str, str] = {}
        """The text of every clip that the faulty engine's results name, by its key."""
        self._system = system
        self._storage: Storage = system.client.storage
        self._begun = begun
        self._dead = dead
        self._past = past
        self._hidden = frozenset(hidden)
        self._sound: dict[str, bool] = {}

    def job(self, life: Life) -> Iterator[str]:
        """Yield the faults of a job."""
        name = life.order.job.id
        try:
            faults = [*self._job(life, name)]
        except NotFound as exc:
            faults = [f"acknowledged data is gone: {exc}"]
        except ValidationError as exc:
            faults = [f"acknowledged data is damaged: {exc}"]
        yield from (f"{name}: {fault}" for fault in faults)

    def _job(self, life: Life, name: str) -> Iterator[str]:
        if life.fault:
            yield life.fault
            if not life.acknowledged:
                return
        if life.last is None:
            yield f"it did not end: {self._system.client.status(name)}"
            return
        if life.deleted:
            self.counts["jobs deleted"] += 1
            if left := [*self._storage.keys(Keys.job_folder(name))]:
                yield f"it was deleted, and storage still holds {left}"
            return
        if [s.id for s in load_job(self._storage, name).segments] != [
            s.id for s in life.order.job.segments
        ]:
            yield "its lines are not the submitted ones"
        status = self._system.client.status(name)
        if status != life.last:
            yield f"it ended as {life.last}, and now it is {status}"
        self.counts[f"jobs {status.state.value}"] += 1
        self.counts["lines"] += len(life.order.job.segments)
        outcomes = gather(self._storage, name, status.round)
        for round_ in range(1, status.round + 1):
            yield from self._round(name, round_, life)
        if status.state is JobState.CANCELLED:
            if status.round not in life.cancelled:
                yield "nobody cancelled it"
        elif status.error:
            yield from self._assembly_given_up(status.error)
        else:
            yield from self._report(life, status.state, status.output, outcomes)

    def _round(self, name: str, round_: int, life: Life) -> Iterator[str]:
        """Yield the faults in the results of a round."""
        refs = {
            Keys.result(name, round_, ref.number): ref
            for ref in read_refs(self._storage.get(Keys.plan(name, round_)))
        }
        stored = set(self._storage.keys(Keys.results(name, round_)))
        if unplanned := stored - refs.keys():
            yield f"results of no batch: {sorted(unplanned)}"
        end = load_end(self._storage, name, round_)
        if end and end.state is not JobState.CANCELLED and refs.keys() - stored:
            yield f"round {round_} ended without {sorted(refs.keys() - stored)}"
        for key in stored & refs.keys():
            result = load_result(self._storage, name, round_, refs[key].number)
            if result is None:
                # A round without an end was repaired by a later round, and a cancelled one reads
                # nothing.
                if end and end.state is not JobState.CANCELLED:
                    yield f"{key} cannot be read"
                continue
            ids = [segment.id for segment in result.segments]
            if result.batch != refs[key].number or len(ids) != len(set(ids)):
                yield f"{key} is the result of another batch"
            if len(ids) != refs[key].lines:
                yield f"{key} has {len(ids)} lines in place of {refs[key].lines}"
            for segment in result.segments:
                how = "failed" if segment.error else "spoken" if segment.attempts else "reused"
                self.counts[f"lines {how}"] += 1
                for take in segment.takes if key not in self._hidden else ():
                    if not self._decodes(take.key):
                        yield f"line {segment.id} of round {round_} has no clip that can be heard"
        if end and end.state is JobState.CANCELLED:
            yield from self._written_later(name, round_)

    def _written_later(self, name: str, round_: int) -> Iterator[str]:
        """Yield results that a cancelled round wrote late, if its workers could know of the end."""
        ended = self._written(Keys.end(name, round_))
        prefixes = (Keys.results(name, round_), f"{Keys.JOBS}{name}/output/{round_}/")
        for key in [key for prefix in prefixes for key in self._storage.keys(prefix)]:
            after = self._written(key) - ended
            if after > LATE and not self._cut_off(ended, ended + after):
                yield f"{key} was written {after:.1f} s after the round was cancelled"

    def _report(
        self, life: Life, state: JobState, output: str | None, outcomes: Mapping[str, Outcome]
    ) -> Iterator[str]:
        """Yield the faults in the report of an assembled round."""
        if not output:
            yield f"it is {state.value} without an output"
            return
        report = Report.model_validate_json(self._storage.get(f"{output}report.json"))
        ids = [segment.id for segment in life.order.job.segments]
        if [line.id for line in report.lines] != ids:
            yield "the report has not every line of the script once"
        failed = {line.id for line in report.lines if line.error}
        for line in report.lines:
            outcome = outcomes[line.id]
            keys = {take.key for take in outcome.result.takes}
            if bool(keys) == bool(line.error):
                yield f"line {line.id} has {len(keys)} clips and {line.error or 'no error'}"
            # When a line failed, nothing was mixed.
            if state is JobState.COMPLETED and line.clip not in keys:
                yield f"line {line.id} is heard from {line.clip}, not from {keys}"
            if outcome.batch.engine == "faulty":
                self.clips |= dict.fromkeys(keys, line.text)
        if heard := life.order.poison - failed:
            yield f"lines {sorted(heard)} cannot be spoken, and were"
        for line in report.lines:
            if line.error and line.id not in life.order.poison:
                yield from self._given_up(line)
        if (state is JobState.FAILED) != bool(failed):
            yield f"it is {state.value}, with {len(failed)} lines failed"

    def _given_up(self, line: ReportLine) -> Iterator[str]:
        """Yield a fault for a good line that failed, unless strikes killed its workers."""
        killers = {begin.pid for begin in self._begun.get(line.text, ()) if begin.pid in self._dead}
        deaths = len(killers) if line.engine == "faulty" else deaths_of("tone", self._past)
        given_up = line.error and line.error.code == GivenUp.code
        if not given_up or deaths < MAX_DELIVERIES:
            yield f"line {line.id} failed, and nothing is wrong with it: {line.error}"
        self.counts["lines that died of strikes"] += 1

    def _assembly_given_up(self, error: ErrorRecord) -> Iterator[str]:
        given_up = error.code == GivenUp.code
        if not given_up or deaths_of("assembly", self._past) < MAX_DELIVERIES:
            yield f"it failed: {error}"
        self.counts["films that died of strikes"] += 1

    def storage(self) -> Iterator[str]:
        """Yield stored objects that should be gone."""
        yield from (f"{key} is still marked" for key in self._storage.keys(Keys.OPEN))

    def ledger(self) -> Iterator[str]:
        """Yield keys that Redis should not hold once every job has ended."""
        with redis.from_url(self._system.settings.redis, decode_responses=True) as server:
            for key in server.scan_iter(f"{PREFIX}*", count=1000):
                if kind_of(key) not in KEPT:
                    yield f"the ledger still has {key}, a {server.type(key)}"

    def _decodes(self, key: str) -> bool:
        """Whether the clip exists and can be decoded."""
        if key not in self._sound:
            try:
                self._sound[key] = load_clip(self._storage, key).audio.seconds > 0
            except (NotFound, BadInput):
                self._sound[key] = False
        return self._sound[key]

    def _cut_off(self, since: float, until: float) -> bool:
        """Whether a worker was suspended, or could not learn from Redis that it had to stop."""
        return any(
            struck.strike.blow in {Blow.FREEZE, Blow.KILL_REDIS, Blow.PROMOTE}
            and struck.since <= until
            and struck.until + LATE >= since
            for struck in self._past
        )

    def _written(self, key: str) -> float:
        """Return when an object was written, in seconds since 1970."""
        path: Path | None = self._storage.path(key)
        assert path
        return path.stat().st_mtime


def deaths_of(worker: str, past: Sequence[Struck]) -> int:
    """Return how often a worker, or one of its processes, was killed."""
    killing = {Blow.KILL_CHILD, Blow.KILL_WORKER}
    return sum(struck.strike.target == worker and struck.strike.blow in killing for struck in past)


def left_behind(home: Path, past: Sequence[Struck], killed_guests: int) -> Iterator[str]:
    """Yield leftover files that killed processes do not explain."""
    # A worker's own folder, and the folder in which assembly makes a film.
    left = [path.name for path in (home / "tmp").iterdir()]
    if len(left) > sum(deaths_of(worker, past) for worker in WORKERS) + killed_guests:
        yield f"temporary files are left: {left}"
    # An interrupted write to the folder store leaves a partial file beside the object.
    staged = [path for path in (home / "home" / "storage").rglob("*") if "#" in path.name]
    if len(staged) > len(past):
        yield f"{len(staged)} writes were broken off: {staged}"
