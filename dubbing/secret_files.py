"""Values of environment variables in files, such as the secrets of containers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import AliasChoices
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from dubbing.errors import BadInput


def source_of_files(
    settings: type[BaseSettings], *sources: PydanticBaseSettingsSource
) -> EnvSettingsSource:
    """Return the source of settings in files, which other sources name.

    Raises BadInput for a file that cannot be read.
    """
    read = [source.env_vars for source in sources if isinstance(source, EnvSettingsSource)]
    files = EnvSettingsSource(settings)
    files.env_vars = in_files(_variables(settings), read)
    return files


def in_files(
    variables: Iterable[str], read: Sequence[Mapping[str, str | None]]
) -> Mapping[str, str | None]:
    """Return the values in files, by their variables.

    variables: names of variables; ``<name>_FILE``, or ``_file``, names the file of its value.
    read: the set variables, from the first source to the last. A set variable needs no file. Raises
    BadInput for a file that cannot be read.
    """
    values = {}
    for name in variables:
        if any(where.get(name) for where in read):
            continue
        in_file = f"{name}_FILE" if name.isupper() else f"{name}_file"
        path = next(filter(None, (where.get(in_file) for where in read)), None)
        # An empty file counts as none, like an empty variable.
        if path and (text := _text_of(path, in_file.upper())):
            values[name] = text
    return values


def _variables(settings: type[BaseSettings]) -> set[str]:
    """Return the names of the variables of all settings, in lower case."""
    names = {f"{settings.model_config['env_prefix']}{name}" for name in settings.model_fields}
    for field in settings.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            names.update(map(str, field.validation_alias.choices))
    return {name.lower() for name in names}


def _text_of(path: str, variable: str) -> str:
    """Return the text of a file without white space around it; raises BadInput, naming it."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
        raise BadInput(f"the file cannot be read: {why}", where=f"{variable}={path}") from exc
