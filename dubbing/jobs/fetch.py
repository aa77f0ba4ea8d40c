"""Downloads of a job: its finished output, or the lines spoken so far."""

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
    """Return a distinct prefix for the file names of each job, by job id.

    The prefix is the job's output name, or its id. Jobs of the same name get the language appended,
    or the id where the language is the same too.
    """
    plain = {job.id: job.output.name or job.id for job in jobs}
    spoken = {job.id: f"{plain[job.id]}.{job.language}" for job in jobs}
    times = Counter(plain.values()), Counter(spoken.values())
    names = {}
    for id_, name in plain.items():
        if times[0][name] == 1:
            names[id_] = name
        elif times[1][spoken[id_]] == 1:
            names[id_] = spoken[id_]
        else:
            names[id_] = f"{name}.{id_}"
    return names if len({*names.values()}) == len(names) else {id_: id_ for id_ in names}


def fetch_output(storage: Storage, prefix: str, folder: Path, name: str) -> list[Path]:
    """Write every object below ``prefix`` into ``folder``; return the paths.

    name: prefix of the file names; ``""`` for none.
    """
    _make(folder)
    return [
        _download(storage, key, _named(folder, name, Path(key).name))
        for key in sorted(storage.keys(prefix))
    ]


def fetch_lines(storage: Storage, status: Status, folder: Path, name: str) -> list[Path]:
    """Write each spoken line as ``lines/<id>.flac``, and ``report.json`` about all lines.

    Lines have their natural pace, as nothing has been fitted yet. Missing lines produce no file;
    stale files are removed.
    name: as in `fetch_output`.
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
    segments = voiced(job).segments
    takes = {s.id: outcomes[s.id].result.takes for s in segments if s.id in outcomes}
    clips = [(of_line[0].key, lines / f"{id_}.flac") for id_, of_line in takes.items() if of_line]
    paths = each(lambda clip: _download_if_there(storage, *clip), clips)
    report_path = _named(folder, name, "report.json")
    report_path.write_text(report.model_dump_json(indent=1))
    return [*(path for path in paths if path), report_path]


def _named(folder: Path, name: str, ending: str) -> Path:
    """Return a file's path: ``e01.de.dub.mp4``, which no source is called, or ``dub.mp4``."""
    return folder / (f"{name}.{ending}" if name else ending)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise MediaError(f"the folder {folder} cannot be made: {exc.strerror}") from exc


def _download_if_there(storage: Storage, key: str, path: Path) -> Path | None:
    """Write an object unless it is gone; assembly notices lost clips and has them spoken again."""
    try:
        return _download(storage, key, path)
    except NotFound:
        return None


def _download(storage: Storage, key: str, path: Path) -> Path:
    """Write an object; an interrupted download leaves no file that looks whole."""
    partial = path.with_name(f".{path.name}.partial")
    storage.download(key, partial)
    partial.replace(path)
    return path
