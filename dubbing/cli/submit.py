"""`dubbing submit`: hand in one job or many."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubbing.cli.options import job_options, load_jobs
from dubbing.cli.output import (
    attended,
    exit_code,
    json_option,
    print_cautions,
    print_json,
    show_progress,
)
from dubbing.client import Client
from dubbing.errors import BadInput
from dubbing.job import Job

if TYPE_CHECKING:
    from dubbing.submission.submit import Submission


@click.command()
@click.argument("scripts", nargs=-1, required=True, type=click.Path(path_type=Path))
@job_options
@click.option("--revise", is_flag=True, help="Change jobs that are there: speak what differs.")
@click.option("--wait", is_flag=True, help="Wait until the jobs have ended.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
def submit(
    scripts: tuple[Path, ...],
    revise: bool,
    wait: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Submit SCRIPTS: manifests (.json), subtitles, folders of them, or a list (.csv)."""
    jobs = load_jobs(scripts, options)
    if options["id"] and len(jobs) > 1:
        raise BadInput("one id cannot name several jobs: give the ids in a list", where="--id")
    client = Client.connect()
    if dry_run:
        _preview(client, jobs, as_json)
        return
    submissions = client.revise_all(jobs) if revise else client.submit_all(jobs)
    for submission in submissions:
        _announce(submission, as_json)
    if wait:
        watched = [attended(client.watch(submission.id)) for submission in submissions]
        statuses = [show_progress(each) for each in watched]
        if as_json:
            print_json([status.model_dump(mode="json") for status in statuses])
        sys.exit(exit_code(statuses))
    if as_json:
        print_json([{"id": s.id, "created": s.created} for s in submissions])


def _announce(submission: Submission, as_json: bool) -> None:
    print_cautions(submission.cautions)
    if not as_json:
        note = "" if submission.created else " (the same request was there already)"
        click.echo(f"{submission.id}{note}")


def _preview(client: Client, jobs: list[Job], as_json: bool) -> None:
    previews = [client.preview(job) for job in jobs]
    if as_json:
        print_json([preview.model_dump(mode="json") for preview in previews])
        return
    for job, preview in zip(jobs, previews, strict=True):
        print_cautions(preview.cautions)
        click.echo(
            f"{job.id or job.language}: {preview.lines} lines in {preview.batches} batches on "
            f"{', '.join(preview.engines)}, {preview.clips_there} clips already there, "
            f"about {preview.seconds:g} s of speech to make"
        )
