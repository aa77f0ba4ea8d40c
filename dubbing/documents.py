"""Models in JSON: files that people write, and documents and messages that releases exchange.

Files of people are read strictly, and their faults are described in words. Storage, the ledger and
messages may hold data of a newer release: `stored` and `received` ignore unknown fields at every
level.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from dubbing.errors import BadInput, Damaged, NewerRelease

LISTED = 10
"""Most faults that one message lists."""
ENOUGH = 100
"""Number of faults after which the search ends."""
LONGEST_FAULT = 200
"""Most characters of a stored document's fault that an error shows."""
SHOWN = 60
"""Most characters of a value that a message shows."""
COMPARED = 500
"""Most known names to compare with a misspelled one."""
ALIKE = 0.65
"""Least likeness, from 0 to 1, of a misspelled name and the known name that is suggested."""
LONGEST_NAME = 100
"""Characters of the longest name to compare."""
FORMAT = 2
"""The highest format of documents and messages that this release reads.

There is one count for all kinds of documents. A release raises it when older releases, which ignore
new fields, would misread a document, and marks such documents with it. Since 2, a segment of a job
may have a voice and a speed of its own.
"""

PLAIN: Mapping[str, str] = {
    "bool_parsing": "should be true or false",
    "dict_type": "should be an object",
    "float_parsing": "should be a number",
    "int_parsing": "should be a whole number",
    "list_type": "should be a list",
    "model_attributes_type": "should be an object",
    "model_type": "should be an object",
    "tuple_type": "should be a list",
}
"""What a value should be, by the types of faults whose own words are those of a programmer."""

IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER)]
"""A name that is safe as a file name and as an object key: no slash, no leading dot."""

AnyModel = TypeVar("AnyModel", bound=BaseModel)
Message = TypeVar("Message")
Item = TypeVar("Item")
Made = TypeVar("Made")


class Model(BaseModel):
    """Base of all models in JSON: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Document(Model):
    """Base of documents and messages that processes of other releases read."""

    # The first format is not written: the first release refuses fields that it does not know.
    format: int = Field(default=1, ge=1, le=FORMAT, exclude_if=lambda format_: format_ == 1)
    """The lowest `FORMAT` of the releases that read the document rightly."""


def stored(model: type[AnyModel], data: bytes | str, where: str) -> AnyModel:
    """Return a stored document without the fields that this release does not know.

    where: its key, for the error. Raises NewerRelease for a format or a value of an enum that this
    release does not know, and Damaged for data that is no such document.
    """
    try:
        return model.model_validate_json(data, extra="ignore")
    except ValidationError as exc:
        raise _unreadable(exc, where) from exc


def received(kind: type[Message], message: object) -> Message:
    """Return a message without the fields that this release does not know.

    kind: a model or a dataclass. Raises NewerRelease and Damaged as `stored` does.
    """
    try:
        # A class is hashable, which mypy does not know of a type variable.
        read: Message = _adapter(kind).validate_python(message, extra="ignore")  # type: ignore[arg-type]
    except ValidationError as exc:
        raise _unreadable(exc, "a message") from exc
    return read


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _unreadable(exc: ValidationError, where: str) -> NewerRelease | Damaged:
    if _is_newer(exc):
        return NewerRelease(where)
    fault = exc.errors(include_url=False)[0]
    place = _place(fault["loc"])
    words = f"{place}: {fault['msg']}" if place else fault["msg"]
    return Damaged(where, f"it is damaged: {words[:LONGEST_FAULT]}")


def _is_newer(exc: ValidationError) -> bool:
    """Whether a document has a newer format, or no fault but unknown values of enums."""
    faults = exc.errors(include_url=False, include_context=False, include_input=False)
    return any(
        fault["type"] == "less_than_equal" and fault["loc"][-1] == "format" for fault in faults
    ) or all(fault["type"] in {"enum", "literal_error"} for fault in faults)


def is_identifier(name: str) -> bool:
    """Whether ``name`` can name a job, a collection, an engine or a voice."""
    return re.fullmatch(IDENTIFIER, name) is not None


def validated(
    model: type[AnyModel], data: object, path: Path | str, faults: Iterable[str] = ()
) -> AnyModel:
    """Return ``data`` as ``model``; raises one BadInput that lists the faults and their places.

    faults: found in parts of the data before; the error lists them too.
    """
    found = list(faults)
    try:
        valid = model.model_validate(data)
    except ValidationError as exc:
        raise BadInput(listed(chain(_faults(model, exc), found)), where=str(path)) from exc
    if found:
        raise BadInput(listed(found), where=str(path))
    return valid


def each_validated(
    model: type[AnyModel], items: Iterable[object], name: str
) -> tuple[list[AnyModel], list[str]]:
    """Return the valid ``items`` as ``model``, and the faults of the others.

    The items are validated one by one: pydantic would collect a million faults. The search ends
    after a hundred.
    name: the field that holds the items.
    """
    found: list[AnyModel] = []
    faults: list[str] = []
    for index, item in enumerate(items):
        try:
            found.append(model.model_validate(item))
        except ValidationError as exc:
            faults += islice(_faults(model, exc, (name, index)), ENOUGH)
            if len(faults) >= ENOUGH:
                break
    return found, faults


def listed(faults: Iterable[str]) -> str:
    """Return the first ten faults, one a line, and the number of the others.

    At most a hundred are taken: to find every fault of a large file takes long, and nobody reads so
    many.
    """
    found = list(islice(faults, ENOUGH))
    if len(found) == 1:
        return found[0]
    at_least = "at least " if len(found) == ENOUGH else ""
    more = [f"and {at_least}{len(found) - LISTED} more"] if len(found) > LISTED else []
    head = f"{at_least}{len(found)} things must be changed:"
    return "\n  ".join([head, *found[:LISTED], *more])


def together(faults: Sequence[BadInput]) -> BadInput:
    """Return one error for several, each with its own list below it."""
    return BadInput(listed([str(fault).replace("\n", "\n  ") for fault in faults]))


def each_made(
    make: Callable[[Item], Made], items: Iterable[Item], faults: Sequence[BadInput] = ()
) -> list[Made]:
    """Return what ``make`` makes of each item; raises one BadInput for the faults of all items.

    faults: found in other items before; the error lists them too.
    """
    made, found = made_of(make, items)
    if found := [*faults, *found]:
        raise found[0] if len(found) == 1 else together(found)
    return made


def made_of(
    make: Callable[[Item], Made], items: Iterable[Item]
) -> tuple[list[Made], list[BadInput]]:
    """Return what ``make`` makes of each item, and the faults of the others.

    The search ends after a hundred faults.
    """
    made: list[Made] = []
    faults: list[BadInput] = []
    for item in items:
        try:
            made.append(make(item))
        except BadInput as exc:
            faults.append(exc)
            if len(faults) == ENOUGH:
                break
    return made, faults


def nearest(name: str, known: list[str]) -> str:
    """Return a hint: the known name most like ``name``, or else the known names."""
    some = [one for one in known[:COMPARED] if len(one) <= LONGEST_NAME]
    close = difflib.get_close_matches(name[:LONGEST_NAME], some, n=1, cutoff=ALIKE)
    if close:
        return f"did you mean {close[0]!r}?"
    shown = [one if len(one) <= LONGEST_NAME else f"{one[:LONGEST_NAME]}…" for one in known[:20]]
    return f"known are: {', '.join(shown)}{', …' if len(known) > 20 else ''}"


def faults_of_settings(model: type[BaseModel], exc: ValidationError, prefix: str) -> Iterator[str]:
    """Yield the faults of settings in words, each with its variable: ``prefix`` and the field."""
    for fault in exc.errors(include_url=False):
        field = str(fault["loc"][0])
        words = _in_words(model, dict(fault))
        yield f"{prefix}{field.upper()}{words.removeprefix(field)}"


def _faults(
    model: type[BaseModel], exc: ValidationError, at: tuple[str | int, ...] = ()
) -> Iterator[str]:
    """Yield the faults of a model in words. at: the place of the model in the file."""
    for fault in exc.errors(include_url=False):
        yield _in_words(model, dict(fault), at)


def _in_words(
    model: type[BaseModel], fault: Mapping[str, Any], at: tuple[str | int, ...] = ()
) -> str:
    location = fault["loc"]
    place = _place((*at, *location))
    match fault["type"]:
        case "missing":
            return f"{place} is missing: add it"
        case "extra_forbidden":
            known = list(_model_at(model, location[:-1]).model_fields)
            return f"{place} is not known; {nearest(str(location[-1]), known)}"
        case "string_pattern_mismatch" if fault["ctx"]["pattern"] == IDENTIFIER:
            return (
                f"{place} is {fault['input']!r}: use up to 100 letters, digits, '.', '_' and '-', "
                "beginning with a letter or digit"
            )
        case "string_too_long":
            most = fault["ctx"]["max_length"]
            return f"{place} has {len(fault['input'])} characters: use up to {most}"
        case "value_error":
            return f"{place}: {fault['ctx']['error']}".removeprefix(": ")
    return f"{place or 'the whole file'} is {_shown(fault['input'])}: it {in_plain_words(fault)}"


def in_plain_words(fault: Mapping[str, Any]) -> str:
    """Return what a value should be, by one of pydantic's faults: ``should be a whole number``."""
    return PLAIN.get(fault["type"]) or fault["msg"].removeprefix("Input ").removeprefix("String ")


def _shown(value: object) -> str:
    """Return the beginning of a value as a script writes it."""
    shown = repr(value) if isinstance(value, str | int | float) else reprlib.repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"


def _place(location: tuple[str | int, ...]) -> str:
    """Return a location as people write it: ``segments[3].end``, ``cast["Ann Lee"].speed``."""
    place = ""
    for part in location:
        if part == "[key]":
            # The name itself, which stands before it, is at fault.
            continue
        if isinstance(part, int):
            place += f"[{part}]"
        elif not part.isidentifier() or len(part) > LONGEST_NAME:
            place += f'["{part[:LONGEST_NAME]}"]'
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
