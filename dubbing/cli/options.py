"""The options that say what a job is; `run` and `submit` share them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from dubbing.job import Background, Container, Job, Output
from dubbing.script.manifest import Entry, expand, load

Command = TypeVar("Command", bound=Callable[..., Any])


def job_options(command: Command) -> Command:
    """Add the options that fill or override a manifest's fields."""
    loudness = get_args(Output.model_fields["loudness"].annotation)
    backgrounds = get_args(Background.model_fields["mode"].annotation)
    options = [
        click.option("--media", metavar="FILM", help="Film or sound: a path or s3:// URL."),
        click.option(
            "--media-track", metavar="TRACK",
            help="Sound track of the film: its number, from 1, or its language.",
        ),
        click.option("--language", metavar="TAG", help="Language that is spoken, such as de."),
        click.option("--cast", metavar="FILE", help="JSON file: speakers and their roles."),
        click.option(
            "--pronunciations", metavar="FILE", help="JSON file: words and what is said for them."
        ),
        click.option("--engine", help="Engine of speakers whose role names none."),
        click.option(
            "--fallback", multiple=True, metavar="ENGINE",
            help="Engine that speaks what the one before could not; may be given again.",
        ),
        click.option(
            "--allow-missing", type=click.FloatRange(0, 1), metavar="SHARE",
            help="Share of the lines that may stay unspoken, with the original sound under them.",
        ),
        click.option("--id", help="The job's id; left out, a digest of the request."),
        click.option("--tenant", help="Whose job this is; tenants take turns."),
        click.option("--batch-name", help="Named batch that the jobs belong to."),
        click.option("--background", type=click.Choice(backgrounds), help="Under the speech."),
        click.option("--track", metavar="FILE", help="Music and effects, as background."),
        click.option(
            "--format", "formats", multiple=True, type=click.Choice(get_args(Container)),
            help="File to write; may be given again.",
        ),
        click.option("--loudness", type=click.Choice(loudness), help="Loudness profile."),
        click.option("--original-sound", is_flag=True, default=None, help="Keep it as a track."),
        click.option("--speaker-prefix", is_flag=True, help="Cues begin with `NAME:`."),
        click.option("--encoding", help="The script's encoding, when it is not UTF-8."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def load_jobs(paths: tuple[Path, ...], options: dict[str, Any]) -> list[Job]:
    """Return the jobs of scripts, manifests, lists and folders. Raises BadInput."""
    return [_load(entry, options) for entry in expand(paths)]


def _load(entry: Entry, options: dict[str, Any]) -> Job:
    names = (
        *(
            "media",
            "media_track",
            "language",
            "cast",
            "pronunciations",
            "engine",
            "allow_missing",
            "id",
        ),
        *("tenant", "batch_name"),
    )
    track = options["track"]
    given: dict[str, Any] = {name: options[name] for name in names}
    given["fallback"] = options["fallback"] or None
    given["background"] = {
        "mode": options["background"] or ("track" if track else None),
        "track": track,
    }
    given["output"] = {
        "formats": options["formats"] or None,
        "loudness": options["loudness"],
        "original_sound": options["original_sound"],
    }
    overrides = {**given, **{k: v for k, v in entry.overrides.items() if v is not None}}
    return load(
        entry.path,
        overrides,
        defaults=entry.defaults,
        speaker_prefix=options["speaker_prefix"],
        encoding=options["encoding"],
    )
