"""What a caller hands in becomes a job: a manifest or a script, a cast, and options.

A manifest is a JSON object with a job's fields; its script, media, track and references are paths
relative to it, or ``s3://`` URLs. A list of episodes × languages is a CSV file; a folder stands
for every script in it.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import langcodes

from dubbing.documents import listed, nearest, read_json, read_text, validated
from dubbing.errors import BadInput
from dubbing.job import SOURCE, Job, Model, Pronunciations, Role
from dubbing.script.subtitles import SUFFIXES, numbered, read_script, read_segments
from dubbing.text.characters import normalise

LISTS = (".csv", ".txt")
"""What the name of a list of scripts may end in."""
COLUMNS = ("script", "media", "language", "cast", "id")
"""Of a list; only the first must be there."""
MEDIA = (
    *(".mp4", ".mkv", ".mov", ".m4v", ".avi", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
    *(".vob", ".flv", ".wmv", ".asf", ".mxf", ".gxf", ".dv", ".rm", ".ogv", ".3gp", ".3g2"),
    *(".wav", ".flac", ".mp3", ".m4a", ".ogg", ".oga", ".opus", ".mka", ".aac", ".ac3", ".dts"),
    *(".aif", ".aiff", ".caf", ".au", ".amr", ".wma", ".wv", ".ape", ".tta", ".w64", ".mp2"),
)
"""What the media beside a script of a folder may end in."""
CAST = "cast.json"
"""In a folder, the cast of every script in it."""
PRONUNCIATIONS = "pronunciations.json"
"""In a folder, the series' dictionary: that of every script in it."""


class Cast(Model):
    """A cast in a file of its own: speakers and their roles."""

    cast: dict[str, Role]


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


def load(
    path: Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    defaults: Mapping[str, Any] | None = None,
    speaker_prefix: bool = False,
    encoding: str | None = None,
) -> Job:
    """Return the job that a manifest, or a script and options, asks for.

    overrides, defaults: fields of a job, nested as in a manifest, over and under what ``path``
    says; a value of None says nothing, ``cast`` and ``pronunciations`` may be a file's path, and
    paths are relative to the current folder. Of both, and of ``output``, ``fit`` and
    ``background``, each entry is merged.
    speaker_prefix, encoding: as in `read_script`.

    Paths in the job are absolute, and texts normalised. Raises BadInput that names the file, the
    place in it, and what to do.
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
    if isinstance(script, str):
        segments = read_script(Path(script), speaker_prefix=speaker_prefix, encoding=encoding)
    job = validated(Job, {**fields, "segments": numbered(segments)}, path)
    _check_files(job, path)
    return normalised(job)


def normalised(job: Job) -> Job:
    """Return ``job`` with its texts, its names, its words and its language tag normalised."""
    segments = tuple(
        segment.model_copy(
            update={"text": normalise(segment.text), "speaker": normalise(segment.speaker)}
        )
        for segment in job.segments
    )
    cast = {normalise(speaker): role for speaker, role in job.cast.items()}
    words = {normalise(word): normalise(said) for word, said in job.pronunciations.items()}
    language = job.language
    if langcodes.tag_is_valid(language):
        language = langcodes.standardize_tag(language)
    return job.model_copy(
        update={
            "segments": segments,
            "cast": cast,
            "pronunciations": words,
            "language": language,
        }
    )


def expand(paths: Sequence[Path]) -> list[Entry]:
    """Return what to submit for scripts, manifests, lists and folders of scripts.

    In a folder, media of the same name beside a script, ``cast.json`` and ``pronunciations.json``
    go with it.
    """
    entries: list[Entry] = []
    for path in paths:
        if path.is_dir():
            entries += _folder(path)
        elif path.suffix.lower() in LISTS:
            entries += read_list(path)
        else:
            entries.append(Entry(path=path))
    return entries


def read_list(path: Path) -> list[Entry]:
    """Return the rows of a CSV file with the columns script, media, language, cast and id.

    Paths are relative to the list. Blank lines and lines that begin with ``#`` are skipped.
    """
    rows = csv.reader(read_text(path).split("\n"))
    columns: list[str] = []
    entries: list[Entry] = []
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        where = f"{path}, line {rows.line_num}"
        if not columns:
            columns = _columns(cells, where)
        else:
            entries.append(_row(columns, cells, path.absolute().parent, where))
    if not entries:
        raise BadInput(f"it names no script: write a line {','.join(COLUMNS)}", where=str(path))
    ids = Counter(entry.overrides["id"] for entry in entries if "id" in entry.overrides)
    if twice := [f"id {id_!r} is given to {n} rows" for id_, n in ids.items() if n > 1]:
        raise BadInput(listed(twice), where=str(path))
    return entries


def _columns(cells: list[str], where: str) -> list[str]:
    for cell in cells:
        if cell not in COLUMNS:
            raise BadInput(f"there is no column {cell!r}; {nearest(cell, [*COLUMNS])}", where=where)
    if "script" not in cells or len(set(cells)) < len(cells):
        raise BadInput("name each column once, and script among them", where=where)
    return cells


def _row(columns: list[str], cells: list[str], folder: Path, where: str) -> Entry:
    if len(cells) > len(columns):
        raise BadInput(
            f"{len(cells)} cells for {len(columns)} columns: quote a cell that holds a comma",
            where=where,
        )
    given = {column: cell for column, cell in zip(columns, cells, strict=False) if cell}
    if "script" not in given:
        raise BadInput("the row names no script", where=where)
    path = folder / given.pop("script")
    if not path.is_file():
        raise BadInput(f"there is no script {path}", where=where)
    return Entry(path=path, overrides=_located(given, folder))


def _folder(folder: Path) -> list[Entry]:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    common = {
        name: str(folder / file)
        for name, file in (("cast", CAST), ("pronunciations", PRONUNCIATIONS))
        if folder / file in files
    }
    entries = []
    for path in files:
        if path.suffix.lower() not in SUFFIXES or path.name in {CAST, PRONUNCIATIONS}:
            continue
        beside = [file for file in files if file.stem == path.stem and file.suffix.lower() in MEDIA]
        if len(beside) > 1:
            names = " and ".join(file.name for file in beside)
            raise BadInput(f"beside it lie {names}: say which in a manifest", where=str(path))
        media = {"media": str(beside[0])} if beside else {}
        entries.append(Entry(path=path, defaults={**media, **common}))
    if not entries:
        raise BadInput(f"no file in it ends in {', '.join(SUFFIXES)}", where=str(folder))
    return entries


def _written(path: Path) -> Mapping[str, Any]:
    """Return the fields that a manifest, or a script as such, gives."""
    if path.suffix.lower() != ".json":
        return {"script": str(path.absolute())}
    data = read_segments(read_text(path), path)
    if isinstance(data, list) or data.keys() == {"segments"}:
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


def _check_files(job: Job, path: Path) -> None:
    """Refuse media, tracks and references that are not there, and URLs but ``s3://``."""
    sources = {"media": job.media, "background.track": job.background.track}
    sources |= {f"reference of {name!r}": role.reference for name, role in job.cast.items()}
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
