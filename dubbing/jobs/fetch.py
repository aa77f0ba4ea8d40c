"""Downloads of a job: its finished output, or the lines spoken so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dubbing.assembly.report import PAGE, REPORT, Report, ReportOutput
from dubbing.documents import AnyModel, stored
from dubbing.errors import BadInput, Conflict, NotFound
from dubbing.job import Job
from dubbing.jobs.landing import Landing
from dubbing.jobs.status import Status
from dubbing.jobs.store import load_job, load_round
from dubbing.planning.clip import load_clip
from dubbing.planning.outcome import history
from dubbing.planning.result import Take
from dubbing.storage import Storage
from dubbing.storage.parallel import each
from dubbing.text.sounds import voiced

LINES = "lines/"
"""Beginning of the names of lines that are fetched before they are mixed."""


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


def report_of(part: type[AnyModel], storage: Storage, prefix: str) -> AnyModel:
    """Return the report of an output, or a part of it; raises NotFound when it was removed."""
    key = prefix + REPORT
    try:
        return stored(part, storage.get(key), key)
    except NotFound as exc:
        raise NotFound(
            f"the files at {prefix} were removed: to have them made again, submit the same request "
            "under another id; lines whose clips are kept are not spoken again"
        ) from exc


def fetch_output(
    storage: Storage, prefix: str, folder: Path, name: str, *, replace: bool = False
) -> list[Path]:
    """Write the outputs that the report below ``prefix`` names, its page, and the report.

    Returns the paths.
    name: prefix of the file names; ``""`` for none.
    replace: whether outputs that were fetched for another job to the same place may be replaced.
    Raises NotFound for outputs that were removed, and Conflict for a file in the way that no
    earlier fetch wrote, before anything is written.
    """
    report = report_of(Report, storage, prefix)
    text = storage.get(prefix + REPORT)
    keys = {output.name: prefix + output.name for output in report.outputs}
    # Outputs of an earlier release have no page.
    if storage.exists(prefix + PAGE):
        keys[PAGE] = prefix + PAGE
    landing = Landing(folder, name, report.job, replace=replace)
    for output, key in keys.items():
        landing.check(output, storage.size(key) or 0)
    # The report also keeps the names of lines that were fetched before.
    if lines := [file for name, file in landing.earlier.items() if name.startswith(LINES)]:
        report = report.model_copy(update={"outputs": (*report.outputs, *lines)})
        text = report.model_dump_json(indent=1).encode()
    landing.check(REPORT, len(text))
    with landing.fetched() as files:
        each(lambda output: storage.download(keys[output], files.path(output)), keys)
        files.path(REPORT).write_bytes(text)
        return files.land()


def fetch_lines(storage: Storage, status: Status, folder: Path, name: str) -> list[Path]:
    """Write each spoken line as ``lines/<id>.flac``, and ``report.json`` about all lines.

    Lines have their natural pace, as nothing has been fitted yet. Missing lines produce no file;
    files of lines that an earlier fetch wrote, and that are no longer there, are removed.
    name: as in `fetch_output`.
    Raises Conflict when nothing has been planned, and for a file in the way that no earlier fetch
    wrote.
    """
    job_id, round_ = status.id, status.round
    if round_ == 0:
        raise Conflict(f"job {job_id!r} has not begun: there is nothing to fetch")
    job, planned = load_job(storage, job_id, round_), load_round(storage, job_id, round_)
    outcomes, used = history(storage, job_id, round_)
    segments = voiced(job).segments
    takes = {s.id: outcomes[s.id].result.takes for s in segments if s.id in outcomes}
    first = {f"{LINES}{id_}.flac": of_line[0] for id_, of_line in takes.items() if of_line}
    landing = Landing(folder, name, job_id)
    with landing.fetched() as files:

        def write(line: str) -> ReportOutput | None:
            clip = _clip(storage, first[line])
            if clip is None:
                return None
            landing.check(line, len(clip))
            files.path(line).write_bytes(clip)
            return ReportOutput(name=line, key=first[line].key, bytes=len(clip))

        lines = tuple(line for line in each(write, first) if line)
        report = Report.unmixed(
            job,
            round_,
            outcomes,
            state=status.state,
            asked=planned.asked,
            request_id=planned.request_id,
            used=used,
        )
        # The report also keeps the names of outputs that were fetched before.
        others = [file for name, file in landing.earlier.items() if not name.startswith(LINES)]
        report = report.model_copy(update={"outputs": (*lines, *others)})
        files.path(REPORT).write_text(report.model_dump_json(indent=1))
        return files.land(stale=LINES)


def _clip(storage: Storage, take: Take) -> bytes | None:
    """Return a clip, or None if it is gone or belongs to another line; assembly repairs it."""
    try:
        return load_clip(storage, take.key, take.digest).data
    except (NotFound, BadInput):
        return None
