"""One job in storage: the objects that it names, and those that the rules no longer keep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dubbing.assembly.report import REPORT
from dubbing.documents import Identifier, Model, stored
from dubbing.errors import Damaged, NewerRelease, NotFound
from dubbing.job import DEFAULT_TENANT
from dubbing.jobs.store import End, load_end
from dubbing.retention.digests import ANY, CLIP, packed
from dubbing.retention.rules import OTHERS, Kind, Rules
from dubbing.storage import Entry, Keys, Storage


class Output(NamedTuple):
    """The output of a round that has ended."""

    job: str
    tenant: str
    round: int
    modified: float
    """When the round ended."""
    files: tuple[Entry, ...]
    """The report first: without it, the output is gone."""

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(entry.size for entry in self.files)


@dataclass(frozen=True, kw_only=True)
class JobFolder:
    """The objects of a job, by kind."""

    id: str
    requests: list[Entry] = field(default_factory=list)
    plans: dict[int, Entry] = field(default_factory=dict)
    ends: dict[int, Entry] = field(default_factory=dict)
    results: list[Entry] = field(default_factory=list)
    runs: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    """The files of each run of assembly, by the prefix of the run."""
    others: list[Entry] = field(default_factory=list)

    @classmethod
    def read(cls, storage: Storage, job_id: str) -> JobFolder:
        """List the objects of a job."""
        folder = cls(id=job_id)
        for entry in storage.entries(Keys.job_folder(job_id)):
            folder._put(entry)
        return folder

    @property
    def entries(self) -> Iterator[Entry]:
        """All of its objects; the ends of rounds come last, because they keep workers away."""
        yield from (*self.requests, *self.plans.values(), *self.results, *self.others)
        for files in self.runs.values():
            yield from files
        yield from self.ends.values()

    @property
    def newest(self) -> int:
        """Number of the newest round; 0 when there is none."""
        return max([0, *self.plans, *self.ends])

    def _put(self, entry: Entry) -> None:
        key, job = entry.key, self.id
        round_, *rest = key.removeprefix(Keys.rounds(job)).split("/")
        run = key.removeprefix(Keys.outputs(job)).split("/")
        if key == Keys.job(job) or key.startswith(Keys.revisions(job)):
            self.requests.append(entry)
        elif key.startswith(Keys.outputs(job)) and len(run) > 2 and run[0].isdecimal():
            self.runs[Keys.output(job, int(run[0]), run[1])].append(entry)
        elif not (key.startswith(Keys.rounds(job)) and round_.isdecimal()):
            self.others.append(entry)
        elif key == Keys.plan(job, int(round_)):
            self.plans[int(round_)] = entry
        elif key == Keys.end(job, int(round_)):
            self.ends[int(round_)] = entry
        elif rest[:1] == ["results"]:
            self.results.append(entry)
        else:
            self.others.append(entry)


class _Owned(Model):
    """The tenant of a job, read without the rest of its request, which may be large."""

    tenant: Identifier = DEFAULT_TENANT


class Finding(NamedTuple):
    """The findings about a job."""

    clips: bytes
    """The clips that its results name, `packed`."""
    named: bytes
    """The digests of media and voices that its requests and plans name, `packed`."""
    tenant: str
    strays: list[Entry]
    rounds: list[Entry]
    """Results and plans that its rule no longer keeps."""
    outputs: list[Output]


def look(storage: Storage, rules: Rules, now: float, job_id: str) -> Finding:
    """Return the objects that a job names, and the objects that bounds of age do not keep.

    An unreadable job keeps all of its objects.
    """
    folder = JobFolder.read(storage, job_id)
    clips, named = references(storage, folder)
    nothing = Finding(clips, named, OTHERS, [], [], [])
    if not any(entry.key == Keys.job(job_id) for entry in folder.requests):
        # It was deleted, and a worker at work on it wrote once more.
        old = _old(folder.entries, now - rules.of(Kind.STRAYS).age)
        return nothing._replace(strays=old)
    try:
        tenant = _tenant(storage, job_id)
        ends = {number: load_end(storage, job_id, number) for number in sorted(folder.ends)}
    except (Damaged, NewerRelease, NotFound):
        return nothing
    last = ends.get(folder.newest)
    if last is None:
        return nothing
    return Finding(
        clips,
        named,
        tenant,
        _strays(folder, ends.values(), now - rules.of(Kind.STRAYS, tenant).age),
        _rounds(folder) if now - last.at > rules.of(Kind.ROUNDS, tenant).age else [],
        list(_outputs(folder, tenant, ends.values())),
    )


def references(storage: Storage, folder: JobFolder, since: float = 0.0) -> tuple[bytes, bytes]:
    """Return the clips, and the media and voices, that documents of a job name, `packed`.

    since: only documents that were written since then. Documents are not parsed: a name in a
    damaged document, or of another release, also protects its object.
    """
    # The first plan names no voice that the request does not name.
    later = (entry for number, entry in folder.plans.items() if number > 1)
    clips = (CLIP.findall(data) for data in _read(storage, folder.results, since))
    named = (ANY.findall(data) for data in _read(storage, [*folder.requests, *later], since))
    return b"".join(map(packed, clips)), b"".join(map(packed, named))


def _read(storage: Storage, entries: Iterable[Entry], since: float) -> Iterator[bytes]:
    for entry in entries:
        if entry.modified >= since:
            try:
                yield storage.get(entry.key)
            except NotFound:
                continue


def _tenant(storage: Storage, job_id: str) -> str:
    key = Keys.job(job_id)
    return stored(_Owned, storage.get(key), key).tenant


def _strays(folder: JobFolder, ends: Iterable[End | None], before: float) -> list[Entry]:
    """Return files, older than ``before``, of runs that no end names: duplicate or aborted runs."""
    valid = {end.output for end in ends if end}
    runs = (files for run, files in folder.runs.items() if run not in valid)
    return [entry for files in runs if len(_old(files, before)) == len(files) for entry in files]


def _old(entries: Iterable[Entry], before: float) -> list[Entry]:
    return [entry for entry in entries if entry.modified < before]


def _rounds(folder: JobFolder) -> list[Entry]:
    """Return all results, and all plans but the newest, which names the job's current request."""
    return [*folder.results, *(plan for n, plan in folder.plans.items() if n != max(folder.plans))]


def _outputs(folder: JobFolder, tenant: str, ends: Iterable[End | None]) -> Iterator[Output]:
    for end in ends:
        if end and end.output and (files := folder.runs.get(end.output)):
            files.sort(key=lambda entry: not entry.key.endswith(f"/{REPORT}"))
            yield Output(folder.id, tenant, end.round, end.at, tuple(files))
