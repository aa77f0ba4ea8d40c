"""Files that deploy the product, and the settings and commands that they may name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from pydantic import AliasChoices

from dubbing.cli.commands import group
from dubbing.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {
    str(field.validation_alias.choices[0])
    if isinstance(field.validation_alias, AliasChoices)
    else f"DUBBING_{name.upper()}"
    for name, field in Settings.model_fields.items()
}
IN_FILES = {f"{name}_FILE" for name in SETTINGS}


def runs(words: Sequence[str]) -> bool:
    """Whether a command of ours, its subcommand and its options exist."""
    name, *arguments = words
    with click.Context(group) as context:
        command = group.get_command(context, name)
    if isinstance(command, click.Group):
        command = command.commands.get(arguments[0])
    if command is None:
        return False
    options = {argument for argument in arguments if argument.startswith("--")}
    return options <= {option for param in command.params for option in param.opts}
