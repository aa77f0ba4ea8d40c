"""Assembly of a round's clips into a dubbed programme: fit, mix, master, encode, report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dubbing.assembly.delivery import Delivery
from dubbing.assembly.demucs import NONE, Separator
from dubbing.assembly.passes import Dubbed, dub
from dubbing.assembly.programme import Programme, prepare
from dubbing.assembly.report import Report
from dubbing.assembly.report_line import ReportLine
from dubbing.assembly.speechless import separated
from dubbing.assembly.studio import stems
from dubbing.assembly.warnings import warnings
from dubbing.engines.usage import EndpointUse
from dubbing.job import FILMS, Job, JobState
from dubbing.media.disk import check_space
from dubbing.media.probe import RATE
from dubbing.planning.outcome import Outcome
from dubbing.proof.speaker import Match
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.storage.parallel import in_order
from dubbing.telemetry.tracing import span

SAMPLE_BYTES = 4
"""Bytes per sample of the temporary files; no output takes more."""

UPLOADED = 2
"""Simultaneous uploads; parts of each output are in memory."""


def assemble(
    job: Job,
    round_: int,
    run: str,
    outcomes: Mapping[str, Outcome],
    storage: Storage,
    workdir: Path,
    *,
    asked: int = 1,
    request_id: str | None = None,
    used: Sequence[EndpointUse] = (),
    separator: Separator = NONE,
    check: Callable[[], None] = lambda: None,
) -> Report:
    """Make the outputs that ``job`` asks for from its lines' outcomes; return the report.

    All files are written under ``Keys.output(job, round_, run)``, and to ``job.output.to``; the
    report comes last. If the share of lines without a take exceeds ``job.allow_missing``, only the
    report is written, with the state failed.

    run: name of this run among those of the round.
    outcomes: by segment id, of the rounds up to ``round_``.
    asked: the first round whose lines the report lists as renewed.
    request_id: id of the request over HTTP that asked for the round.
    used: the job's usage of engines.
    workdir: an existing folder with room for the uncompressed programme and the outputs.
    separator: removes the speech from the film, if the job requests that.
    check: called every few seconds of the programme, and before a file is delivered to
    ``job.output.to``; raises to stop the work.

    Raises ClipUnreadable with every line whose clip must be spoken again, BadInput for a
    ``job.output.to`` that refuses a file, BadInput or MediaError for a film that cannot be read,
    MediaError for a disk that is too small, EngineMissing or EngineFailed when the speech cannot be
    removed from the film, Stopped, NotFound, StorageUnavailable. Temporary files are always
    removed.
    """
    script = sorted(job.segments, key=lambda segment: segment.start)
    delivery = Delivery(job, storage, Keys.output(job.id, round_, run), check)
    report = Report.unmixed(job, round_, outcomes, asked=asked, request_id=request_id, used=used)
    if report.missing <= job.allow_missing:
        with tempfile.TemporaryDirectory(prefix="assembly-", dir=workdir) as folder:
            with span("prepare"):
                programme = prepare(job, script, outcomes, storage, Path(folder))
            if job.background.mode == "separate":
                programme = separated(programme, storage, Path(folder), separator, check)
            _check_space(programme, storage, Path(folder))
            with span("dub"):
                dubbed = dub(programme, storage, Path(folder), check)
            report = _completed(report, programme, dubbed, delivery)
            files = dubbed.files.items()
            with span("deliver"):
                for _ in in_order(lambda file: delivery.send(*file), files, at_once=UPLOADED):
                    pass
    delivery.complete(report)
    return report


def _completed(report: Report, programme: Programme, dubbed: Dubbed, delivery: Delivery) -> Report:
    spoken = {
        segment.id: ReportLine.of(
            segment,
            programme.outcomes[segment.id],
            programme.placements.get(segment.id),
            dubbed.lines.get(segment.id),
            programme.note(segment),
            dubbed.matches.get(segment.id, Match()),
        )
        for segment in programme.spoken
    }
    lines = tuple(spoken.get(line.id, line) for line in report.lines)
    return report.model_copy(
        update={
            "state": JobState.COMPLETED,
            "seconds": programme.frames / RATE,
            "loudness": dubbed.loudness,
            "outputs": tuple(delivery.entry(*file) for file in dubbed.files.items()),
            "lines": lines,
            "warnings": warnings(lines, dubbed.loudness),
        }
    )


def _check_space(programme: Programme, storage: Storage, folder: Path) -> None:
    """Raise MediaError unless the disks hold the mix and its outputs."""
    speech = programme.frames * SAMPLE_BYTES
    track = speech * programme.channels
    film = programme.film.path.stat().st_size if programme.film else 0
    outputs = sum(track + (film if container in FILMS else 0) for container in programme.containers)
    if programme.job.output.studio:
        outputs += speech * len(stems(programme)) + track
    needed = {folder: speech + track + outputs}
    if stored := storage.path(""):
        needed[stored] = outputs
    check_space(needed, stored=stored)
