"""A folder of scripts: which film belongs to which script, and what language a name tells.

A script goes with the film of its name, or of its name less what players and archives append to
it: ``movie.de.srt``, ``movie.pt-BR.forced.srt`` and ``movie_german.srt`` all go with ``movie.mp4``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import langcodes

from dubbing.errors import BadInput
from dubbing.job import Caution
from dubbing.script.loader import Entry
from dubbing.script.manifest import SOURCE, Manifest
from dubbing.script.subtitles import SUFFIXES

CAST = "cast.json"
"""In a folder, the cast of every script in it."""
PRONUNCIATIONS = "pronunciations.json"
"""In a folder, the series' dictionary: that of every script in it."""
FLAGS = frozenset({"forced", "foreign", "sdh", "cc", "hi", "default", "full"})
"""What a name says of subtitles besides their language. ``hi`` alone is Hindi."""
OUTPUT = re.compile(r"(?P<name>(?:.+\.)?)(?:dub\.[^.]+|report\.json)")
"""What a job's files are called once they are fetched."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The scripts and films of one folder, but hidden files and what was fetched into it."""

    path: Path
    scripts: Sequence[Path]
    films: Sequence[Path]
    """Films and sounds."""
    shared: Sequence[Path]
    """``cast.json`` and ``pronunciations.json``, if they are there."""

    @classmethod
    def at(cls, path: Path) -> Folder:
        """Return a folder; raises BadInput when it cannot be read or holds no script."""
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
        """Yield what may not be paired as meant: ``jobs`` were read from the scripts."""
        over: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for job in jobs:
            if job.media:
                over[job.media, job.language].append(job)
            elif self.films:
                message = (
                    "no film in the folder has its name: sound alone is made; call it as the "
                    "film, or name the media in a manifest"
                )
                yield Caution(code="no_film", segment=None, message=message, file=job.source)
        for (media, language), (first, *others) in over.items():
            for job in others:
                before = Path(first.source).name
                message = f"{before} is dubbed in {language!r} over {Path(media).name} too"
                yield Caution(code="same_film", segment=None, message=message, file=job.source)
        used = {Path(source).resolve() for job in jobs for source in _sources(job)}
        for film in self.films:
            if film.resolve() not in used:
                message = "no script in the folder has its name: it is not dubbed"
                yield Caution(code="no_script", segment=None, message=message, file=str(film))

    def _match(self, script: Path) -> tuple[tuple[Path, ...], str]:
        """Return the films that may be a script's, and its language, ``""`` when nothing tells."""
        stem = _plain(script.stem)
        found: dict[str, list[Path]] = defaultdict(list)
        for film in self.films:
            if stem.startswith(_plain(film.stem)):
                found[_plain(film.stem)].append(film)
        # The longest name first: movie.1080p.de.srt is not for movie.mp4 when both are there.
        for name in sorted(found, key=len, reverse=True):
            if (language := suffix_language(stem.removeprefix(name))) is not None:
                return tuple(found[name]), language or _ending(stem)
        return (), _ending(stem)


def _ending(stem: str) -> str:
    """Return the language that a name ends in after a dot, ``""`` when there is none."""
    _, *parts = stem.split(".")
    endings = (suffix_language(f".{'.'.join(parts[at:])}") for at in range(len(parts)))
    return next((language for language in endings if language is not None), "")


def suffix_language(suffix: str) -> str | None:
    """Return the language that the end of a name tells, such as ``.pt-BR.forced``.

    ``""`` when it tells none, None when it is something else than languages and flags.
    """
    if suffix and suffix[0] not in "._- ":
        return None
    language = ""
    for token in re.split(r"[.\s]+", suffix.strip("._- ")) if suffix else ():
        parts = token.replace("_", "-").split("-")
        while len(parts) > 1 and parts[-1] in FLAGS:
            parts.pop()
        if len(parts) == 1 and parts[0] in FLAGS and (language or parts != ["hi"]):
            continue
        found = _language("-".join(parts))
        if found is None:
            return None
        language = found
    return language


def _language(tag: str) -> str | None:
    """Return a language tag as it is written, or None when it is none.

    Of three letters, only those that have a shorter form or many speakers: nearly any three
    letters are some language's.
    """
    if not langcodes.tag_is_valid(tag):
        return _by_name().get(tag)
    first, _, rest = tag.partition("-")
    short = langcodes.standardize_tag(first, macro=len(first) == 3)
    if len(short) > 2 and short not in {"fil", "yue"}:
        return _by_name().get(tag)
    return langcodes.standardize_tag(f"{short}-{rest}" if rest else short)


@cache
def _by_name() -> dict[str, str]:
    """Return language tags by the languages' names in English, in small letters."""
    # Few names need it, and it is slow to load.
    from babel import Locale

    names = Locale("en").languages
    return {name.casefold(): code.replace("_", "-") for code, name in names.items()}


def _sources(job: Manifest) -> Iterator[str]:
    """Yield the films and sounds that a job names."""
    for source in (job.media, job.background.track, *(r.reference for r in job.cast.values())):
        if source and source != SOURCE:
            yield source


def _fetched(file: Path, names: set[str]) -> bool:
    """Whether a file is what a job made: it has a name for that, and its report lies beside it."""
    match = OUTPUT.fullmatch(file.name)
    return match is not None and f"{match['name']}report.json" in names


def _plain(stem: str) -> str:
    """Return a name to compare: file systems differ in capitals and in how accents are coded."""
    return unicodedata.normalize("NFC", stem).casefold()


MEDIA = (
    *(".mp4", ".mkv", ".mov", ".m4v", ".avi", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
    *(".vob", ".flv", ".wmv", ".asf", ".mxf", ".gxf", ".dv", ".rm", ".ogv", ".3gp", ".3g2"),
    *(".wav", ".flac", ".mp3", ".m4a", ".ogg", ".oga", ".opus", ".mka", ".aac", ".ac3", ".dts"),
    *(".aif", ".aiff", ".caf", ".au", ".amr", ".wma", ".wv", ".ape", ".tta", ".w64", ".mp2"),
)
"""What the media beside a script of a folder may end in."""
