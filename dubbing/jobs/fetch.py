"""What is fetched of a job: its finished output, or the lines that there are so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dubbing.assembly.report import Report
from dubbing.errors import Conflict, MediaError, NotFound
from dubbing.job import Job
from dubbing.jobs.status import Status
from dubbing.jobs.store import load_job, load_round
from dubbing.planning.outcome import gather
from dubbing.storage import Storage
from dubbing.storage.parallel import each
from dubbing.text.sounds import voiced


def distinct(jobs: Sequence[Job]) -> dict[str, str]:
    """Return what the names of each job's files begin with, by id, so that none is another's.

    That is what the job says, or its id. Where several say the same, the language follows, and
    where that is the same too, the id.
    """
    plain = {job.id: job.output.name or job.id for job in jobs}
    spoken = {job.id: f"{plain[job.id]}.{job.language}" for job in jobs}
    times = Counter(plain.values()), Counter(spoken.values())
    found = {}
    for id_, name in plain.items():
        if times[0][name] == 1:
            found[id_] = name
        elif times[1][spoken[id_]] == 1:
            found[id_] = spoken[id_]
        else:
            found[id_] = f"{name}.{id_}"
    return found if len({*found.values()}) == len(found) else {id_: id_ for id_ in found}


def fetch_output(storage: Storage, prefix: str, folder: Path, name: str) -> list[Path]:
    """Write every object below ``prefix`` into ``folder``; return the paths.

    name: what the files' names begin with; ``""`` for nothing.
    """
    _make(folder)
    return [
        _download(storage, key, _named(folder, name, Path(key).name))
        for key in sorted(storage.keys(prefix))
    ]


def fetch_lines(storage: Storage, status: Status, folder: Path, name: str) -> list[Path]:
    """Write each line that there is as ``lines/<id>.flac``, and ``report.json`` about them all.

    A line is heard at its natural pace, as nothing has been fitted yet. A missing line produces no
    file, and a stale file of it is removed.
    name: as of `fetch_output`.
    Raises Conflict when nothing has been planned.
    """
    job_id, round_ = status.id, status.round
    if round_ == 0:
        raise Conflict(f"job {job_id!r} has not begun: there is nothing to fetch")
    job, asked = load_job(storage, job_id, round_), load_round(storage, job_id, round_).asked
    outcomes = gather(storage, job_id, round_)
    report = Report.unmixed(job, round_, outcomes, state=status.state, asked=asked)
    lines = _named(folder, name, "lines")
    _make(lines)
    for old in lines.glob("*.flac"):
        old.unlink()
    said = voiced(job).segments
    takes = {s.id: outcomes[s.id].result.takes for s in said if s.id in outcomes}
    spoken = [(found[0].key, lines / f"{id_}.flac") for id_, found in takes.items() if found]
    paths = each(lambda wanted: _download_if_there(storage, *wanted), spoken)
    told = _named(folder, name, "report.json")
    told.write_text(report.model_dump_json(indent=1))
    return [*(path for path in paths if path), told]


def _named(folder: Path, name: str, ending: str) -> Path:
    """Return where a file goes: ``e01.de.dub.mp4``, which is no source's name, or ``dub.mp4``."""
    return folder / (f"{name}.{ending}" if name else ending)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise MediaError(f"the folder {folder} cannot be made: {exc.strerror}") from exc


def _download_if_there(storage: Storage, key: str, path: Path) -> Path | None:
    """A clip that is gone is found by assembly, which has it spoken again."""
    try:
        return _download(storage, key, path)
    except NotFound:
        return None


def _download(storage: Storage, key: str, path: Path) -> Path:
    """Write an object; what breaks off leaves no file that looks whole."""
    partial = path.with_name(f".{path.name}.partial")
    storage.download(key, partial)
    partial.replace(path)
    return path
