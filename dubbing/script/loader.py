"""What a caller hands in, a manifest or a script with a cast and options, becomes a `Manifest`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dubbing.documents import Model, listed, read_json, read_text, validated
from dubbing.errors import BadInput
from dubbing.job import Caution, Pronunciations
from dubbing.script.manifest import SOURCE, Manifest, ManifestRole, normalised
from dubbing.script.subtitles import numbered, read_script, read_segments
from dubbing.script.transcript import is_transcript


class Cast(Model):
    """A cast in a file of its own: speakers and their roles."""

    cast: dict[str, ManifestRole]


class Dictionary(Model):
    """A pronunciation dictionary in a file of its own."""

    pronunciations: Pronunciations


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One script or manifest to submit."""

    path: Path
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Fields that a list's row gives; they win over the manifest's."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Fields that a folder gives; the manifest's win over them."""
    films: tuple[Path, ...] = ()
    """Films beside it that may be its own, when it names none."""
    where: str = ""
    """The row of a list that names it."""


def load(
    path: Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    defaults: Mapping[str, Any] | None = None,
    speaker_prefix: bool = False,
    encoding: str | None = None,
) -> Manifest:
    """Return what a manifest, or a script and options, asks for.

    overrides, defaults: fields of a job, nested as in a manifest, over and under what ``path``
    says; a value of None says nothing, ``cast`` and ``pronunciations`` may be a file's path, and
    paths are relative to the current folder. Of both, and of ``output``, ``fit`` and
    ``background``, each entry is merged.
    speaker_prefix, encoding: as in `read_script`.

    Paths in it are absolute, and texts normalised; its files are named after ``path`` unless
    it says otherwise, and its ``cautions`` are those of reading. Raises BadInput that names the
    file, the place in it, and what to do.
    """
    here = Path.cwd()
    fields: dict[str, Any] = {}
    for given, folder in (
        (defaults or {}, here),
        (_written(path), path.absolute().parent),
        (overrides or {}, here),
    ):
        fields = _merged(fields, _located(given, folder))
    script, segments = fields.pop("script", None), fields.get("segments")
    if (script is None) == (segments is None):
        raise BadInput("give a script or segments, one of them", where=str(path))
    cautions: list[Caution] = []
    if isinstance(script, str):
        reading = read_script(Path(script), speaker_prefix=speaker_prefix, encoding=encoding)
        segments = reading.segments
        cautions += reading.cautions
        if reading.language and "language" not in fields:
            fields["language"] = reading.language
            cautions.append(_language(reading.language))
    manifest = validated(Manifest, {**fields, "segments": numbered(segments)}, path)
    _check_files(manifest, path)
    return normalised(manifest).read_from(path, cautions)


def _language(tag: str) -> Caution:
    message = (
        f"no language is named: the transcript's own is taken, {tag!r}; name another where its "
        "text is translated"
    )
    return Caution(code="language", segment=None, message=message)


def _written(path: Path) -> Mapping[str, Any]:
    """Return the fields that a manifest, or a script as such, gives."""
    if path.suffix.lower() != ".json":
        return {"script": str(path.absolute())}
    data = read_segments(read_text(path), path)
    if isinstance(data, list) or data.keys() == {"segments"} or is_transcript(data):
        return {"script": str(path.absolute())}
    return dict(data)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``under`` with what ``over`` says; objects are merged one level deep."""
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
    """Return a manifest's fields with absolute paths; a cast or dictionary in a file is read."""
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
    """Return a cast file's roles, by speaker, as fields."""
    data = read_json(path)
    whole = data if isinstance(data, dict) and data.keys() == {"cast"} else {"cast": data}
    cast = validated(Cast, whole, path).model_dump(exclude_unset=True)
    roles: dict[str, Any] = _located(cast, path.absolute().parent)["cast"]
    return roles


def _read_pronunciations(path: Path) -> dict[str, str]:
    """Return a dictionary file's words, and what is said for each."""
    data = read_json(path)
    named = isinstance(data, dict) and data.keys() == {"pronunciations"}
    whole = data if named and isinstance(data["pronunciations"], dict) else {"pronunciations": data}
    return validated(Dictionary, whole, path).pronunciations


def _check_files(manifest: Manifest, path: Path) -> None:
    """Refuse media, tracks and references that are not there, and URLs but ``s3://``."""
    sources = {"media": manifest.media, "background.track": manifest.background.track}
    sources |= {f"reference of {name!r}": role.reference for name, role in manifest.cast.items()}
    faults = []
    for name, source in sources.items():
        if source is None or source == SOURCE or source.startswith("s3://"):
            continue
        if "://" in source:
            faults.append(f"{name}: {source!r} is no file: give a path or an s3:// URL")
        elif not Path(source).is_file():
            faults.append(f"{name}: there is no file {source}")
    if faults:
        raise BadInput(listed(faults), where=str(path))
