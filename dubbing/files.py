"""Input files: their text, their JSON, and their digest."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from dubbing.errors import BadInput

LARGEST = 50_000_000
"""Most bytes of a file; no script of one programme comes near it."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 begins with that of UTF-16, so it comes first."""


class _SetTwiceError(ValueError):
    """An object in JSON sets a name twice."""


def read_text(path: Path, encoding: str | None = None) -> str:
    """Return a file's text with ``\\n`` line endings and without a byte order mark.

    encoding: by default UTF-8, or UTF-16 or UTF-32 where a mark says so.

    Raises BadInput when the file is missing, larger than 50 MB, or in another encoding.
    """
    data = _read_bytes(path)
    marked = next((name for mark, name in MARKS if data.startswith(mark)), None)
    codec = encoding or marked or "utf-8"
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as exc:
        raise BadInput(
            f"byte {exc.start} is not {codec}: save the file as UTF-8, or name its encoding, "
            "as in --encoding cp1252",
            where=str(path),
        ) from exc
    except (LookupError, ValueError) as exc:
        raise BadInput(
            f"there is no encoding {codec!r}: name one such as utf-8, utf-16, cp1252 or gb18030",
            where=str(path),
        ) from exc
    if text.count("\0") > len(text) // 4:
        raise BadInput(
            f"this is not {codec}: it may be UTF-16 without a byte order mark; "
            "try --encoding utf-16-le",
            where=str(path),
        )
    # Some editors double the carriage return; that still ends only one line.
    text = text.removeprefix("\ufeff").replace("\r\r\n", "\n")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_file(path: Path) -> bool:
    """Whether a file exists; False for a name that no file system accepts."""
    try:
        return path.is_file()
    except OSError:
        return False


def read_json(path: Path) -> Any:
    """Return a JSON file's value; raises BadInput with the place, or a name that is set twice."""
    return parse_json(read_text(path), path)


def parse_json(text: str, path: Path) -> Any:
    """Return the JSON value of ``text``, which was read from ``path``; raises as `read_json`."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as exc:
        place = f"line {exc.lineno}, column {exc.colno}"
        raise BadInput(f"{place}: this is not JSON: {exc.msg}", where=str(path)) from exc
    except RecursionError as exc:
        raise BadInput("it is nested too deep to be a manifest", where=str(path)) from exc
    except _SetTwiceError as exc:
        raise BadInput(str(exc), where=str(path)) from exc
    except ValueError as exc:
        # Python does not read whole numbers of thousands of digits.
        raise BadInput("a number in it has too many digits", where=str(path)) from exc


def _read_bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise BadInput("there is no such file", where=str(path))
        size = path.stat().st_size
        if size > LARGEST:
            raise BadInput(
                f"the file has {size / 1e6:.0f} MB, more than {LARGEST / 1e6:.0f}: cut it in parts",
                where=str(path),
            )
        return path.read_bytes()
    except OSError as exc:
        raise BadInput(f"the file cannot be read: {exc.strerror}", where=str(path)) from exc


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that is set twice: JSON would silently keep the last value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = Counter(name for name, _ in pairs)
        twice = next(name for name, times in names.items() if times > 1)
        raise _SetTwiceError(f"{twice!r} is set twice in one object: keep one of them")
    return found


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
