"""`dubbing submit`: submit one job or many."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubbing.cli.cautions import print_cautions
from dubbing.cli.exit_codes import DONE, of_jobs
from dubbing.cli.job_options import job_options, read_jobs
from dubbing.cli.on_done import on_done_option, tell
from dubbing.cli.output import (
    attended,
    counted,
    duration,
    echo,
    json_option,
    left_at_work,
    print_json,
    show_progress,
)
from dubbing.cli.statuses import records
from dubbing.client import Client
from dubbing.documents import together
from dubbing.engines.usage import money
from dubbing.errors import BadInput
from dubbing.job.caution import Caution
from dubbing.script.entries import Reading

if TYPE_CHECKING:
    from dubbing.submission.estimate import Estimate
    from dubbing.submission.preview import Preview
    from dubbing.submission.submit import Submission


@click.command()
@click.argument("scripts", nargs=-1, required=True, type=click.Path(path_type=Path))
@job_options
@click.option("--revise", is_flag=True, help="Change existing jobs: speak what differs.")
@click.option("--wait", is_flag=True, help="Wait until the jobs have ended.")
@click.option(
    "--dry-run", is_flag=True, help="Show the work without submitting it; needs no Redis."
)
@on_done_option
@json_option
def submit(
    scripts: tuple[Path, ...],
    revise: bool,
    wait: bool,
    on_done: list[str] | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Submit SCRIPTS: manifests (.json), subtitles, folders of them, or a list (.csv)."""
    if on_done and not wait:
        words = "`submit` ends before the job: add --wait, or give --on-done to `dubbing watch`"
        raise BadInput(words, where="--on-done")
    reading = read_jobs(scripts, options)
    client = Client.connect()
    if reading.faults:
        raise together([*reading.faults, *client.faults(reading.jobs)])
    for option in ("id", "name"):
        if options[option] and len(reading.jobs) > 1:
            words = f"several jobs cannot share one {option}: leave it out"
            raise BadInput(words, where=f"--{option}")
    if dry_run:
        _preview(client.preview_all(reading.jobs), reading, as_json)
        return
    submissions = (client.revise_all if revise else client.submit_all)(reading.jobs)
    print_cautions([*reading.cautions, *(c for s in submissions for c in s.cautions)])
    if not as_json:
        for submission in submissions:
            _announce(submission, alone=len(submissions) == 1)
    if wait:
        _wait(client, submissions, reading, options["collection"], on_done, as_json)
    if as_json:
        accepted = [{"id": s.id, "created": s.created, "file": s.file} for s in submissions]
        print_json(_with_cautions(accepted, submissions, reading))


def _announce(submission: Submission, *, alone: bool) -> None:
    words = submission.id
    if not alone and submission.file:
        words += f"  {submission.file}"
    if not submission.created:
        words += "  (the same request was submitted before)"
    echo(words)


def _wait(
    client: Client,
    submissions: Sequence[Submission],
    reading: Reading,
    collection: str | None,
    on_done: list[str] | None,
    as_json: bool,
) -> None:
    """Wait for jobs; exit with 0 if all are completed, and all hooks succeeded."""
    several = f"dubbing status --collection {collection}" if collection else "dubbing jobs"
    follow = f"dubbing watch {submissions[0].id}" if len(submissions) == 1 else several
    with left_at_work(follow):
        watched = [attended(client.watch(submission.id)) for submission in submissions]
        statuses, codes = [], []
        for each in watched:
            statuses.append(show_progress(each))
            codes.append(tell(on_done, client, statuses[-1]))
    if as_json:
        print_json(_with_cautions(records(client, statuses), submissions, reading))
    sys.exit(max(codes, default=DONE) or of_jobs(statuses))


def _preview(previews: Sequence[Preview], reading: Reading, as_json: bool) -> None:
    if as_json:
        found = [preview.model_dump(mode="json") for preview in previews]
        print_json(_with_cautions(found, previews, reading))
        return
    print_cautions([*reading.cautions, *(c for p in previews for c in p.cautions)])
    lines = sum(preview.lines for preview in previews)
    batches = sum(preview.batches for preview in previews)
    stored = sum(preview.clips_there for preview in previews)
    engines = ", ".join(sorted({engine for preview in previews for engine in preview.engines}))
    subject = previews[0].file if len(previews) == 1 else counted(len(previews), "job")
    seconds = duration(sum(preview.seconds for preview in previews))
    echo(
        f"{subject}: {counted(lines, 'line')} in {counted(batches, 'batch', 'batches')}"
        f"{engines and f' on {engines}'}, {counted(stored, 'clip')} already stored, "
        f"about {seconds} of speech to make"
    )
    if words := _estimated([preview.estimate for preview in previews if preview.estimate]):
        echo(f"estimate by the latest batches: {'; '.join(words)}")


def _estimated(estimates: Sequence[Estimate]) -> list[str]:
    """Return the estimated time and cost of all jobs in words, as far as they are known."""
    words = []
    times = [estimate.ready_in for estimate in estimates if estimate.ready_in is not None]
    lacks = sorted({name for estimate in estimates for name in estimate.lacks})
    if times and len(times) == len(estimates):
        words.append(f"ready in about {duration(max(times))}")
    elif lacks:
        words.append(f"time unknown, as no worker is online for {' or '.join(lacks)}")
    costs = [estimate.costs for estimate in estimates if estimate.costs is not None]
    if len(costs) == len(estimates):
        currencies = sorted({currency for of_job in costs for currency in of_job})
        for currency in currencies:
            amount = sum(of_job.get(currency, 0.0) for of_job in costs)
            words.append(f"about {money(amount, currency)}")
    return words


def _with_cautions(
    jobs: Sequence[dict[str, Any]],
    outcomes: Sequence[Submission | Preview],
    reading: Reading,
) -> list[dict[str, Any]]:
    """Return each job's record with its cautions; cautions of no job go with the first job."""
    files = {outcome.file for outcome in outcomes}
    by_job: list[list[Caution]] = []
    for at, outcome in enumerate(outcomes):
        of_reading = [
            caution
            for caution in reading.cautions
            if caution.file == outcome.file or (at == 0 and caution.file not in files)
        ]
        by_job.append([*of_reading, *outcome.cautions])
    return [
        {**job, "cautions": [caution.model_dump(mode="json") for caution in cautions]}
        for job, cautions in zip(jobs, by_job, strict=True)
    ]
