"""Models in JSON: files that people write, and documents and messages that releases exchange.

What people write is read strictly, and its faults are described in words. Storage, the ledger and
messages may hold what a newer release wrote: `stored` and `received` ignore unknown fields at every
level.
"""

from __future__ import annotations

import codecs
import difflib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from dubbing.errors import BadInput, Damaged, NewerRelease

LARGEST = 50_000_000
"""Most bytes of a file; no script of one programme comes near it."""
LISTED = 10
"""How many faults one message lists."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 begins with that of UTF-16, so it comes first."""

FORMAT = 1
"""The highest format of documents and messages that this release reads.

There is one count for all kinds of documents. A release that writes what an older one would
misread, rather than do without, raises the count, and marks those documents with it.
"""

IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER)]
"""A name that is safe as a file name and as an object key: no slash, no leading dot."""

AnyModel = TypeVar("AnyModel", bound=BaseModel)
Message = TypeVar("Message")


class Model(BaseModel):
    """Base of all models in JSON: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Document(Model):
    """Base of documents and messages that processes of other releases read."""

    # The first format is not written: the first release refuses fields that it does not know.
    format: int = Field(default=1, ge=1, le=FORMAT, exclude_if=lambda format_: format_ == 1)
    """The lowest `FORMAT` of a release that reads it rightly."""


def stored(model: type[AnyModel], data: bytes | str, where: str) -> AnyModel:
    """Return a stored document, less the fields that this release does not know.

    where: its key, for the error. Raises NewerRelease for a format or a value of an enum that this
    release does not know, and Damaged for anything else that is no such document.
    """
    try:
        return model.model_validate_json(data, extra="ignore")
    except ValidationError as exc:
        if _is_newer(exc):
            raise NewerRelease(where) from exc
        raise Damaged(where) from exc


def received(kind: type[Message], message: Mapping[str, Any]) -> Message:
    """Return a message, less the fields that this release does not know.

    kind: a model or a dataclass. Raises NewerRelease as `stored` does, and else ValidationError.
    """
    try:
        return TypeAdapter(kind).validate_python(message, extra="ignore")
    except ValidationError as exc:
        if _is_newer(exc):
            raise NewerRelease("a message") from exc
        raise


def _is_newer(exc: ValidationError) -> bool:
    """Whether a document is of a newer format, or has no fault but names that are not known."""
    faults = exc.errors(include_url=False, include_context=False, include_input=False)
    return any(
        fault["type"] == "less_than_equal" and fault["loc"][-1] == "format" for fault in faults
    ) or all(fault["type"] in {"enum", "literal_error"} for fault in faults)


def is_identifier(name: str) -> bool:
    """Whether ``name`` can name a job, a collection, an engine or a voice."""
    return re.fullmatch(IDENTIFIER, name) is not None


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
        raise BadInput(f"there is no encoding {codec!r}", where=str(path)) from exc
    if text.count("\0") > len(text) // 4:
        raise BadInput(
            f"this is not {codec}: it may be UTF-16 without a byte order mark; "
            "try --encoding utf-16-le",
            where=str(path),
        )
    # Some editors double the carriage return; that still ends only one line.
    text = text.removeprefix("\ufeff").replace("\r\r\n", "\n")
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
    except ValueError as exc:
        raise BadInput(str(exc), where=str(path)) from exc


def validated(model: type[AnyModel], data: object, path: Path | str) -> AnyModel:
    """Return ``data`` as ``model``; raises one BadInput that lists every fault and its place."""
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        faults = [_in_words(model, dict(fault)) for fault in exc.errors(include_url=False)]
        raise BadInput(listed(faults), where=str(path)) from exc


def listed(faults: list[str]) -> str:
    """Return faults one a line: the first ten, and how many more there are."""
    if len(faults) == 1:
        return faults[0]
    more = [f"and {len(faults) - LISTED} more"] if len(faults) > LISTED else []
    head = f"{len(faults)} things must be changed:"
    return "\n  ".join([head, *faults[:LISTED], *more])


def together(faults: Sequence[BadInput]) -> BadInput:
    """Return one error for several, each with what it lists of its own below it."""
    return BadInput(listed([str(fault).replace("\n", "\n  ") for fault in faults]))


def nearest(name: str, known: list[str]) -> str:
    """Return a hint: the known name most like ``name``, or else the known names."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are: {', '.join(known[:20])}{', …' if len(known) > 20 else ''}"


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
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is set twice in one object: keep one of them")
    return found


def _in_words(model: type[BaseModel], fault: Mapping[str, Any]) -> str:
    location = fault["loc"]
    place = _place(location)
    match fault["type"]:
        case "missing":
            return f"{place} is missing: add it"
        case "extra_forbidden":
            known = list(_model_at(model, location[:-1]).model_fields)
            return f"{place} is not known; {nearest(str(location[-1]), known)}"
        case "string_pattern_mismatch":
            return (
                f"{place} is {fault['input']!r}: use up to 100 letters, digits, '.', '_' and '-', "
                "beginning with a letter or digit"
            )
        case "value_error":
            return f"{place}: {fault['ctx']['error']}".removeprefix(": ")
    value = repr(fault["input"])
    shown = value if len(value) <= 60 else f"{value[:60]}…"
    words = fault["msg"].removeprefix("Input ")
    return f"{place or 'the whole file'} is {shown}: it {words}"


def _place(location: tuple[str | int, ...]) -> str:
    """Return a location as people write it: ``segments[3].end``, ``cast["Ann Lee"].speed``."""
    place = ""
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
        elif not part.isidentifier():
            place += f'["{part}"]'
        else:
            place += f".{part}" if place else part
    return place


def _model_at(model: type[BaseModel], location: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the model whose field stands at ``location`` below ``model``."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is not None:
            model = _model_in(field.annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in get_args(annotation))
    return next((model for model in found if model), None)
