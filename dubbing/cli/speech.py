"""`dubbing say` speaks one line at once; `dubbing engines` lists the engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dubbing.cli.options import check_out, tenant_option
from dubbing.cli.output import counted, echo, json_option, print_json, print_table
from dubbing.client import Client
from dubbing.engines.models.inventory import Readiness, inspect
from dubbing.media.export import check_suffix, export
from dubbing.system import System


@click.command()
@click.argument("text")
@click.option("--language", default="en", show_default=True)
@click.option("--engine", default="", help="Engine to speak with; by default, DUBBING_ENGINE.")
@click.option(
    "--voice",
    default="",
    help="Voice of the engine, or a stored voice; by default, the engine's first.",
)
@click.option(
    "--out",
    default="line.wav",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write: .wav, .flac, .mp3 or .ogg.",
)
@tenant_option("Tenant of the stored voice.")
@json_option
def say(text: str, out: Path, as_json: bool, **options: Any) -> None:
    """Speak TEXT at once, ahead of all batches."""
    check_suffix(out)
    check_out(out.parent)
    audio = Client.connect().say(text, **options)
    export(audio, out)
    if as_json:
        print_json({"path": str(out), "seconds": round(audio.seconds, 3)})
    else:
        echo(f"{out}: {audio.seconds:.2f} s")


@click.command()
@json_option
def engines(as_json: bool) -> None:
    """List the engines, and their instances that have a model."""
    catalogue = System().catalogue
    found = [inspect(catalogue, name) for name in catalogue.names()]
    if as_json:
        print_json([_record(readiness) for readiness in found])
        return
    columns = ("engine", "", "voices", "languages", "device", "licence", "what it is")
    print_table(columns, map(_row, found))


def _record(readiness: Readiness) -> dict[str, Any]:
    return {
        **readiness.spec.model_dump(mode="json"),
        "state": readiness.state.value,
        "problems": readiness.problems,
        "missing": readiness.missing_libraries,
    }


def _row(readiness: Readiness) -> tuple[str, ...]:
    spec = readiness.spec
    # An engine without any has those of its model.
    stock = counted(len(spec.voices), "voice") if spec.voices else "-"
    voices = "clones" if spec.clones else stock
    languages = (
        "any language" if "*" in spec.languages else counted(len(spec.languages), "language")
    )
    return (
        spec.name, readiness.words, voices, languages, spec.device, spec.licence, spec.summary
    )  # fmt: skip
