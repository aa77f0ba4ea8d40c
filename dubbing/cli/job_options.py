"""The options that describe a job; `run` and `submit` share them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import click

from dubbing.cli.options import Command, collection_option
from dubbing.job import Background, Container, Output
from dubbing.job.fit import FITS
from dubbing.job.output import StudioFile
from dubbing.script.entries import Reading, read


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
        click.option("--language", metavar="TAG", help="Language to dub into, such as de."),
        click.option("--cast", metavar="FILE", help="JSON file of speakers and their roles."),
        click.option(
            "--pronunciations", metavar="FILE", help="JSON file of words and their replacements."
        ),
        click.option("--engine", help="Engine for speakers whose role names none."),
        click.option(
            "--fallback", multiple=True, metavar="ENGINE",
            help="Engine for lines that the engine before it could not speak; may be repeated.",
        ),
        click.option(
            "--allow-missing", type=click.FloatRange(0, 1), metavar="SHARE",
            help="Share of lines that may stay unspoken; they keep the original sound.",
        ),
        click.option(
            "--speak-sounds", is_flag=True, default=None,
            help="Speak descriptions of sounds, such as (sighs) or [door slams].",
        ),
        click.option(
            "--speak-lyrics", is_flag=True, default=None,
            help="Speak lyrics, such as `♪ Row the boat ♪`.",
        ),
        click.option("--fit", type=click.Choice([*FITS]), help="Profile of the fit."),
        click.option("--id", help="The job's id; by default, a digest of the request."),
        click.option("--tenant", help="Tenant of the job; tenants take turns."),
        collection_option("Collection of the jobs."),
        click.option("--name", help="Beginning of the files' names; by default, SCRIPT's."),
        click.option(
            "--background", type=click.Choice(backgrounds), help="Background under the speech."
        ),
        click.option("--track", metavar="FILE", help="Music-and-effects file for the background."),
        click.option(
            "--format", "formats", multiple=True, type=click.Choice(get_args(Container)),
            help="Format to write; may be repeated.",
        ),
        click.option(
            "--studio", multiple=True, type=click.Choice(get_args(StudioFile)),
            help="Extra file for a studio; may be repeated.",
        ),
        click.option("--loudness", type=click.Choice(loudness), help="Loudness profile."),
        click.option(
            "--original-sound", is_flag=True, default=None,
            help="Keep the sound that the dub replaces as a second track.",
        ),
        click.option(
            "--speaker-prefix", is_flag=True,
            help="Read `NAME:` before the words of a cue as its speaker.",
        ),
        click.option("--encoding", help="The script's encoding, if it is not UTF-8."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def overrides(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a job that the options give, nested as in a manifest."""
    names = (
        *("media", "media_track", "language", "cast", "pronunciations", "engine"),
        *("allow_missing", "id", "speak_sounds", "speak_lyrics", "tenant", "collection"),
    )
    track = options["track"]
    return {
        **{name: options[name] for name in names},
        "fallback": options["fallback"] or None,
        "fit": {"profile": options["fit"]},
        "background": {
            "mode": options["background"] or ("track" if track else None),
            "track": track,
        },
        "output": {
            "formats": options["formats"] or None,
            "studio": options["studio"] or None,
            "loudness": options["loudness"],
            "original_sound": options["original_sound"],
            "name": options["name"],
        },
    }


def read_jobs(paths: Sequence[Path], options: Mapping[str, Any]) -> Reading:
    """Return the jobs that a command's files and options ask for."""
    return read(
        paths,
        overrides(options),
        speaker_prefix=options["speaker_prefix"],
        encoding=options["encoding"],
    )
