"""A list of scripts as a file of rows: CSV, or the same with semicolons or tabs.

Spreadsheets write ``;`` in half of Europe and ``,`` elsewhere, so the line of headings determines
the separator.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from dubbing.documents import ENOUGH, listed, nearest
from dubbing.errors import BadInput
from dubbing.files import is_file, read_text
from dubbing.script.loader import Entry

LISTS = (".csv", ".tsv", ".txt")
"""Suffixes of lists of scripts."""
COLUMNS = ("script", "media", "language", "cast", "id")
"""Columns of a list; only the first is required."""
SEPARATORS = (",", ";", "\t")
DECLARATION = "sep="
"""Beginning of a first line that names the separator, as some spreadsheets write: ``sep=;``."""

Row = tuple[int, list[str]]
"""A line's number in the file, and its cells."""


def read_list(path: Path) -> list[Entry]:
    """Return an entry for each row of a list with the columns script, media, language, cast, id.

    Paths are relative to the list. Blank lines and lines that begin with ``#`` are skipped. The
    case of headings does not matter. Raises one BadInput that names the line of each fault.
    """
    rows = list(_rows(path))
    if not rows:
        raise _empty(path)
    (line, headings), *rows = rows
    columns = _columns(headings, _at(path, line))
    entries: list[Entry] = []
    faults: list[str] = []
    for line, cells in rows:
        try:
            entries.append(_entry(columns, cells, path, line))
        except BadInput as exc:
            faults.append(str(exc))
            if len(faults) == ENOUGH:
                break
    ids = Counter(entry.overrides["id"] for entry in entries if "id" in entry.overrides)
    faults += [f"{path}: id {id_!r} is given to {n} rows" for id_, n in ids.items() if n > 1]
    if faults:
        raise BadInput(listed(faults))
    if not entries:
        raise _empty(path)
    return entries


def _rows(path: Path) -> Iterator[Row]:
    """Yield the rows that are not empty, with stripped cells; the first row is the headings."""
    written = read_text(path).split("\n")
    # A quote in a comment opens no cell.
    lines = ["" if line.lstrip().startswith("#") else line for line in written]
    rows = csv.reader(lines, delimiter=_separator(lines), skipinitialspace=True, strict=True)
    start = 1
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            while cells and not cells[-1]:
                # A spreadsheet pads each row to its widest.
                cells.pop()
            if cells and not _is_declaration(cells[0]):
                yield start, cells
            start = rows.line_num + 1
    except csv.Error as exc:
        raise BadInput(
            f"{exc}: end a quoted cell with a quote, and double each quote in it",
            where=_at(path, start),
        ) from exc


def _separator(lines: Sequence[str]) -> str:
    """Return the separator that splits the first line into the most known headings."""
    first = next((line for line in lines if line.strip()), "")
    if _is_declaration(first) and len(first) > len(DECLARATION):
        return first[len(DECLARATION)]

    def known(separator: str) -> int:
        return sum(cell.strip(' "').casefold() in COLUMNS for cell in first.split(separator))

    return max(SEPARATORS, key=known)


def _is_declaration(line: str) -> bool:
    return line.casefold().startswith(DECLARATION)


def _columns(headings: Sequence[str], where: str) -> list[str]:
    columns = [heading.casefold() for heading in headings]
    for heading, column in zip(headings, columns, strict=True):
        if column not in COLUMNS:
            words = f"there is no column {heading!r}; {nearest(column, [*COLUMNS])}"
            raise BadInput(words, where=where)
    if "script" not in columns or len(set(columns)) < len(columns):
        raise BadInput("name each column once, and script among them", where=where)
    return columns


def _entry(columns: Sequence[str], cells: Sequence[str], path: Path, line: int) -> Entry:
    where = _at(path, line)
    if len(cells) > len(columns):
        raise BadInput(
            f"{len(cells)} cells for {len(columns)} columns: quote a cell that holds a separator",
            where=where,
        )
    given = {column: cell for column, cell in zip(columns, cells, strict=False) if cell}
    if "script" not in given:
        raise BadInput("the row names no script", where=where)
    folder = path.parent
    script = folder / given.pop("script")
    if not is_file(script):
        raise BadInput(f"there is no script {script}", where=where)
    for name in ("media", "cast"):
        if name in given and "://" not in given[name]:
            given[name] = str(folder / given[name])
    return Entry(path=script, overrides=given, where=where)


def _at(path: Path, line: int) -> str:
    return f"{path}, line {line}"


def _empty(path: Path) -> BadInput:
    return BadInput(f"it names no script: write a line {','.join(COLUMNS)}", where=str(path))
