"""What is fetched of a job: its finished output, or the lines that there are so far."""

from __future__ import annotations

from pathlib import Path

from dubbing.assembly.report import Report
from dubbing.errors import Conflict, NotFound
from dubbing.job import JobState
from dubbing.jobs.rounds import load_job, load_round
from dubbing.planning.outcome import gather
from dubbing.storage import Storage
from dubbing.storage.parallel import each
from dubbing.text.sounds import voiced


def fetch_output(storage: Storage, prefix: str, folder: Path) -> list[Path]:
    """Write every object below ``prefix`` into ``folder``; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _download(storage, key, folder / Path(key).name) for key in sorted(storage.keys(prefix))
    ]


def fetch_lines(
    storage: Storage, job_id: str, round_: int, state: JobState, folder: Path
) -> list[Path]:
    """Write each line that there is as ``lines/<id>.flac``, and ``report.json`` about them all.

    A line is heard at its natural pace, as nothing has been fitted yet. One that is not there, or
    not any more, leaves no file, also none of an earlier call.
    Raises Conflict when nothing has been planned.
    """
    if round_ == 0:
        raise Conflict(f"job {job_id!r} has not begun: there is nothing to fetch")
    job, asked = load_job(storage, job_id, round_), load_round(storage, job_id, round_).asked
    outcomes = gather(storage, job_id, round_)
    report = Report.unmixed(job, round_, outcomes, state=state, asked=asked)
    lines = folder / "lines"
    lines.mkdir(parents=True, exist_ok=True)
    for old in lines.glob("*.flac"):
        old.unlink()
    said = voiced(job).segments
    takes = {s.id: outcomes[s.id].result.takes for s in said if s.id in outcomes}
    spoken = [(found[0].key, lines / f"{id_}.flac") for id_, found in takes.items() if found]
    paths = each(lambda wanted: _download_if_there(storage, *wanted), spoken)
    told = folder / "report.json"
    told.write_text(report.model_dump_json(indent=1))
    return [*(path for path in paths if path), told]


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
