"""Loading: a manifest file, or a script with a cast and options, becomes a `Manifest`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dubbing.documents import Model, each_validated, listed, validated
from dubbing.errors import BadInput
from dubbing.files import is_file, read_json, read_text
from dubbing.job import Caution, Pronunciations, Segment
from dubbing.script.manifest import SOURCE, Manifest, ManifestRole, normalised
from dubbing.script.naming import language_of
from dubbing.script.subtitles import numbered, read_script, read_segments
from dubbing.script.transcript import is_transcript

NO_LANGUAGE = (
    "language is missing: name it, such as de, in the manifest or with --language, or end the "
    "script's name with it, such as film.de.srt"
)


class CastFile(Model):
    """The content of a cast file: speakers and their roles."""

    cast: dict[str, ManifestRole]


class PronunciationFile(Model):
    """The content of a pronunciation dictionary's file."""

    pronunciations: Pronunciations


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One script or manifest to submit."""

    path: Path
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a list's row; they win over the manifest's fields."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Fields that a folder gives; the manifest's fields win over them."""
    films: tuple[Path, ...] = ()
    """Films beside the script that match its name, for a script that names no film."""
    where: str = ""
    """The list and line that name the script; empty outside of a list."""


def load(
    path: Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    defaults: Mapping[str, Any] | None = None,
    speaker_prefix: bool = False,
    encoding: str | None = None,
) -> Manifest:
    """Read a manifest, or a script with options, into a `Manifest`.

    overrides, defaults: fields of a job, nested as in a manifest; overrides win over the fields
    that ``path`` gives, and these win over defaults. A value of None counts as absent, ``cast`` and
    ``pronunciations`` may be the path of a file, and paths are relative to the current folder.
    Objects, such as ``cast`` and ``output``, are merged entry by entry. Without a language in
    them, the end of the name tells it, as in `manifest_of`.
    speaker_prefix, encoding: as in `read_script`.

    The manifest has absolute paths, normalised texts and the cautions of reading; its outputs are
    named after ``path`` unless it names them. Raises BadInput that names the file, the place in it,
    and what to do.
    """
    here = Path.cwd()
    written = _written(path)
    _check_named(written, path)
    fields: dict[str, Any] = {}
    for given, folder in (
        ({"language": language_of(path) or None}, here),
        (defaults or {}, here),
        (written, path.absolute().parent),
        (overrides or {}, here),
    ):
        fields = _merged(fields, _located(given, folder))
    manifest = manifest_of(fields, str(path), speaker_prefix=speaker_prefix, encoding=encoding)
    _check_files(manifest, path)
    return manifest.read_from(path)


def manifest_of(
    fields: Mapping[str, Any],
    where: str,
    *,
    speaker_prefix: bool = False,
    encoding: str | None = None,
) -> Manifest:
    """Return the manifest of a job's fields, with normalised texts and the cautions of reading.

    fields: as in a manifest; the script is an absolute path. Without a language, the end of the
    script's name tells it: ``film.de.srt``. where: what they were read from, for
    errors. speaker_prefix, encoding: as in `read_script`.
    Raises BadInput as `load` does; it does not look for media and recordings.
    """
    fields = dict(fields)
    script, segments = fields.pop("script", None), fields.get("segments")
    if (script is None) == (segments is None):
        raise BadInput("give either a script or segments", where=where)
    cautions: list[Caution] = []
    if isinstance(script, str):
        if script != str(Path(where).absolute()) and not is_file(Path(script)):
            raise BadInput(f"script: there is no file {script}", where=where)
        if "language" not in fields and (language := language_of(Path(script))):
            fields["language"] = language
        named = fields.get("language")
        read = read_script(
            Path(script),
            speaker_prefix=speaker_prefix,
            encoding=encoding,
            language=named if isinstance(named, str) else None,
        )
        segments = read.segments
        cautions += read.cautions
        if read.language and "language" not in fields:
            fields["language"] = read.language
            cautions.append(_language(read.language))
        if "language" not in fields:
            raise BadInput(NO_LANGUAGE, where=where)
    faults: list[str] = []
    if isinstance(segments, list):
        segments, faults = each_validated(Segment, numbered(segments), "segments")
    manifest = validated(Manifest, {**fields, "segments": segments}, where, faults)
    return normalised(manifest).with_cautions(cautions)


def _language(tag: str) -> Caution:
    message = (
        f"no language is named: the script's own, {tag!r}, is used; name another if its text "
        "is translated"
    )
    return Caution(code="language", segment=None, message=message)


def _written(path: Path) -> Mapping[str, Any]:
    """Return a manifest's fields; for a script, its path as the only field."""
    if path.suffix.lower() != ".json":
        return {"script": str(path.absolute())}
    data = read_segments(read_text(path), path)
    if isinstance(data, list) or data.keys() == {"segments"} or is_transcript(data):
        return {"script": str(path.absolute())}
    return dict(data)


def _check_named(written: Mapping[str, Any], path: Path) -> None:
    """Raise BadInput unless the files are there from which a manifest takes fields."""
    for name in ("cast", "pronunciations"):
        file = written.get(name)
        # Unlike Path.is_file, this raises for no name, however long.
        if isinstance(file, str) and not os.path.isfile(path.absolute().parent / file):  # noqa: PTH113
            raise BadInput(f"{name}: there is no file {file!r}", where=str(path))


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``under`` overridden by ``over``; objects are merged one level deep."""
    merged = dict(under)
    for name, value in over.items():
        below = merged.get(name)
        if isinstance(value, Mapping):
            said = {key: inner for key, inner in value.items() if inner is not None}
            merged[name] = {**below, **said} if isinstance(below, Mapping) else said
        elif value is not None:
            merged[name] = value
    return merged


def _located(fields: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a manifest's fields with absolute paths, and with the content of cast and dictionary.

    A cast or dictionary that is the path of a file is read from it.
    """
    located = dict(fields)
    for name in ("script", "media"):
        located |= _path_in(located, name, folder)
    if isinstance(background := located.get("background"), Mapping):
        located["background"] = {**background, **_path_in(background, "track", folder)}
    if isinstance(words := located.get("pronunciations"), str | Path):
        located["pronunciations"] = _read_pronunciations(folder / words)
    if isinstance(cast := located.get("cast"), str | Path):
        return located | {"cast": _read_cast(folder / cast)}
    if isinstance(cast, Mapping):
        located["cast"] = {
            speaker: {**role, **_path_in(role, "reference", folder)}
            if isinstance(role, Mapping) and role.get("reference") != SOURCE
            else role
            for speaker, role in cast.items()
        }
    return located


def _path_in(fields: Mapping[str, Any], name: str, folder: Path) -> dict[str, str]:
    value = fields.get(name)
    if not isinstance(value, str | Path) or "://" in str(value):
        return {}
    return {name: str(folder / value)}


def _read_cast(path: Path) -> dict[str, Any]:
    """Return the roles in a cast file, by speaker, as fields of a manifest."""
    data = read_json(path)
    whole = data if isinstance(data, dict) and data.keys() == {"cast"} else {"cast": data}
    cast = validated(CastFile, whole, path).model_dump(exclude_unset=True)
    roles: dict[str, Any] = _located(cast, path.absolute().parent)["cast"]
    return roles


def _read_pronunciations(path: Path) -> dict[str, str]:
    """Return the words in a dictionary file, each with its replacement."""
    data = read_json(path)
    named = isinstance(data, dict) and data.keys() == {"pronunciations"}
    whole = data if named and isinstance(data["pronunciations"], dict) else {"pronunciations": data}
    return validated(PronunciationFile, whole, path).pronunciations


def _check_files(manifest: Manifest, path: Path) -> None:
    """Raise BadInput for missing media, tracks and references, and for URLs except ``s3://``."""
    sources = {"media": manifest.media, "background.track": manifest.background.track}
    sources |= {f"reference of {name!r}": role.reference for name, role in manifest.cast.items()}
    faults = []
    for name, source in sources.items():
        if source is None or source == SOURCE or source.startswith("s3://"):
            continue
        if "://" in source:
            faults.append(f"{name}: {source!r} is not a file: give a path or an s3:// URL")
        elif not is_file(Path(source)):
            faults.append(f"{name}: there is no file {source}")
    if faults:
        raise BadInput(listed(faults), where=str(path))
