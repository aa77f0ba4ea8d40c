"""`dubbing voices`: make voices from recordings, and manage them."""

from __future__ import annotations

from pathlib import Path

import click

from dubbing.cli.group import Group
from dubbing.cli.options import tenant_option
from dubbing.cli.output import echo, json_option, print_json, print_table, warn
from dubbing.client import Client
from dubbing.voices.library import VoiceDetails
from dubbing.voices.voice import Voice

of_tenant = tenant_option("Tenant of the voices.")


@click.group(cls=Group)
def voices() -> None:
    """Make voices from recordings, and manage them."""


@voices.command()
@click.argument("more", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Name of the voice in casts.")
@click.option(
    "--reference",
    "references",
    required=True,
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Recording of one speaker, up to 50 MB; further files may follow, and are appended.",
)
@click.option("--transcript", default="", help="Text of the recording, for engines that use it.")
@click.option("--language", default="", metavar="TAG", help="Language of the recording.")
@click.option(
    "--consent",
    default="",
    metavar="NOTE",
    help="Note on the speaker's consent; stored with the voice.",
)
@click.option(
    "--engine",
    "engines",
    multiple=True,
    help="Refuse a recording that this engine cannot use; may be repeated.",
)
@of_tenant
@json_option
def extract(
    references: tuple[Path, ...],
    more: tuple[Path, ...],
    name: str,
    transcript: str,
    language: str,
    consent: str,
    engines: tuple[str, ...],
    tenant: str,
    as_json: bool,
) -> None:
    """Make a voice from one speaker's recordings, and store it under a name."""
    made = (
        Client.connect()
        .voices_of(tenant)
        .extract(
            name,
            [*references, *more],
            transcript=transcript,
            language=language,
            consent=consent,
            engines=engines,
        )
    )
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    _print_doubts(made.doubts)
    echo(f"{made.name}: {made.voice.digest[:12]}, {_heard(made.voice)}")


@voices.command("list")
@of_tenant
@json_option
def list_(tenant: str, as_json: bool) -> None:
    """List the named voices."""
    found = Client.connect().voices_of(tenant).all()
    if as_json:
        print_json([named.model_dump(mode="json") for named in found])
        return
    rows = [
        (named.name, named.voice.digest[:12], named.voice.language or "-", _heard(named.voice))
        for named in found
    ]
    print_table(("name", "voice", "language", "recording"), rows)


@voices.command()
@click.argument("name")
@of_tenant
@json_option
def show(name: str, tenant: str, as_json: bool) -> None:
    """Show the details of the voice NAME, which may be its digest."""
    found = Client.connect().voices_of(tenant).show(name)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    _print_doubts(found.doubts)
    print_table(("", ""), _rows(found))


@voices.command()
@click.argument("old")
@click.argument("new")
@of_tenant
def rename(old: str, new: str, tenant: str) -> None:
    """Rename the voice OLD to NEW.

    Submitted jobs keep their voice.
    """
    Client.connect().voices_of(tenant).rename(old, new)
    echo(f"{old} is now {new}")


@voices.command()
@click.argument("name")
@of_tenant
@json_option
def delete(name: str, tenant: str, as_json: bool) -> None:
    """Delete the voice NAME.

    Its recording is kept while the voice has another name or a job uses it.
    """
    done = Client.connect().voices_of(tenant).delete(name)
    if as_json:
        print_json(done.model_dump(mode="json"))
        return
    if not done.kept:
        removed = f" and its forms {', '.join(done.forms)}" if done.forms else ""
        echo(f"{name}: deleted, with its recording{removed}")
        return
    reasons = [f"it is {', '.join(done.names)} too"] if done.names else []
    if done.jobs:
        reasons.append(f"these jobs use it: {', '.join(done.jobs)}")
    echo(f"{name}: the name is deleted, the recording is kept: {' and '.join(reasons)}")


def _heard(voice: Voice) -> str:
    """Return the length, noise and clipping of a voice's recordings in words."""
    words = f"{voice.seconds:.1f} s"
    if judged := voice.judgement:
        words += f", {judged.snr:.0f} dB over noise, {judged.clipped:.1%} clipped"
    return words


def _rows(found: VoiceDetails) -> list[tuple[str, str]]:
    voice = found.voice
    facts = [
        ("voice", voice.digest),
        ("names", ", ".join(found.names)),
        ("recording", _heard(voice)),
        ("language", voice.language),
        ("transcript", voice.transcript),
        ("from", ", ".join(voice.provenance)),
        ("consent", voice.consent),
        ("engines", ", ".join(found.fits)),
        ("forms", ", ".join(found.forms)),
        ("jobs", ", ".join(found.jobs)),
    ]
    return [(name, fact) for name, fact in facts if fact]


def _print_doubts(doubts: list[str] | tuple[str, ...]) -> None:
    for doubt in doubts:
        warn(doubt)
