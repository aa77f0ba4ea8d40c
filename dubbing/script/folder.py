"""A folder of scripts: pairs each script with its film, and reads languages from names.

A script's film has the script's name, or that name without the suffixes that players and archives
append: ``movie.de.srt``, ``movie.pt-BR.forced.srt`` and ``movie_german.srt`` all go with
``movie.mp4``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dubbing.errors import BadInput
from dubbing.job import Caution
from dubbing.script.loader import Entry
from dubbing.script.manifest import SOURCE, Manifest
from dubbing.script.naming import ending_language, plain, suffix_language
from dubbing.script.subtitles import SUFFIXES

CAST = "cast.json"
"""The cast of every script in its folder."""
PRONUNCIATIONS = "pronunciations.json"
"""The pronunciation dictionary of every script in its folder."""
OUTPUT = re.compile(r"(?P<name>(?:.+\.)?)(?:dub\.[^.]+|report\.json)")
"""Names of a job's fetched files."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The scripts and films of one folder, without hidden files and a job's fetched files."""

    path: Path
    scripts: Sequence[Path]
    films: Sequence[Path]
    """Films and sounds."""
    shared: Sequence[Path]
    """``cast.json`` and ``pronunciations.json``, if they are there."""

    @classmethod
    def at(cls, path: Path) -> Folder:
        """Read a folder; raises BadInput when it cannot be read or holds no script."""
        try:
            found = sorted(file for file in path.iterdir() if file.is_file())
        except OSError as exc:
            raise BadInput(f"it cannot be read: {exc.strerror}", where=str(path)) from exc
        names = {file.name for file in found}
        shared = [file for file in found if file.name in {CAST, PRONUNCIATIONS}]
        files = [
            file
            for file in found
            if file not in shared and not file.name.startswith(".") and not _fetched(file, names)
        ]
        scripts = [file for file in files if file.suffix.lower() in SUFFIXES]
        if not scripts:
            raise BadInput(f"no file in it ends in {', '.join(SUFFIXES)}", where=str(path))
        films = [file for file in files if file.suffix.lower() in MEDIA]
        return cls(path=path, scripts=scripts, films=films, shared=shared)

    def entries(self) -> list[Entry]:
        """Return an entry for each script."""
        common = {file.stem: str(file) for file in self.shared}
        entries = []
        for script in self.scripts:
            films, language = self._match(script)
            defaults = {**common, "media": films[0]} if len(films) == 1 else common
            if language:
                defaults = {**defaults, "language": language}
            entries.append(Entry(path=script, defaults=defaults, films=films))
        return entries

    def cautions(self, jobs: Sequence[Manifest]) -> Iterator[Caution]:
        """Yield cautions about scripts and films that may not be paired as meant.

        jobs: those read from the folder's scripts.
        """
        over: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for job in jobs:
            if job.media:
                over[job.media, job.language].append(job)
            elif self.films:
                message = (
                    "no film in the folder has its name: only sound is made; rename it after the "
                    "film, or name the media in a manifest"
                )
                yield Caution(code="no_film", segment=None, message=message, file=job.source)
        for (media, language), (first, *others) in over.items():
            for job in others:
                earlier = Path(first.source).name
                message = f"{earlier} is dubbed in {language!r} over {Path(media).name} too"
                yield Caution(code="same_film", segment=None, message=message, file=job.source)
        used = {Path(source).resolve() for job in jobs for source in _sources(job)}
        for film in self.films:
            if film.resolve() not in used:
                message = "no script in the folder has its name: it is not dubbed"
                yield Caution(code="no_script", segment=None, message=message, file=str(film))

    @cached_property
    def _films_by_name(self) -> dict[str, list[Path]]:
        films: dict[str, list[Path]] = defaultdict(list)
        for film in self.films:
            films[plain(film.stem)].append(film)
        return films

    def _match(self, script: Path) -> tuple[tuple[Path, ...], str]:
        """Return the films that match a script, and its language, ``""`` if its name tells none."""
        stem = plain(script.stem)
        # Longest name first: movie.1080p.de.srt goes with movie.1080p.mp4 before movie.mp4.
        for end in range(len(stem), -1, -1):
            films = self._films_by_name.get(stem[:end], ())
            if films and (language := suffix_language(stem[end:])) is not None:
                return tuple(films), language or ending_language(stem)
        return (), ending_language(stem)


def _sources(job: Manifest) -> Iterator[str]:
    """Yield the films and sounds that a job names."""
    for source in (job.media, job.background.track, *(r.reference for r in job.cast.values())):
        if source and source != SOURCE:
            yield source


def _fetched(file: Path, names: set[str]) -> bool:
    """Whether a file is a job's output: it is named like one, and its report lies beside it."""
    match = OUTPUT.fullmatch(file.name)
    return match is not None and f"{match['name']}report.json" in names


MEDIA = (
    *(".mp4", ".mkv", ".mov", ".m4v", ".avi", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
    *(".vob", ".flv", ".wmv", ".asf", ".mxf", ".gxf", ".dv", ".rm", ".ogv", ".3gp", ".3g2"),
    *(".wav", ".flac", ".mp3", ".m4a", ".ogg", ".oga", ".opus", ".mka", ".aac", ".ac3", ".dts"),
    *(".aif", ".aiff", ".caf", ".au", ".amr", ".wma", ".wv", ".ape", ".tta", ".w64", ".mp2"),
)
"""Suffixes of the films and sounds that a folder pairs with its scripts."""
