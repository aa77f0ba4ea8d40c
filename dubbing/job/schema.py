"""Descriptions of the fields of models, read from the docstrings under them in the source.

Pydantic can read these docstrings too, but does so for every model on every import, which takes
longer than everything else about a model.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring of each documented field that a model itself declares."""
    (declared,) = ast.parse(inspect.getsource(model)).body
    found: dict[str, str] = {}
    for field, below in pairwise(getattr(declared, "body", ())):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str() as text)):
                found[name] = inspect.cleandoc(text)
    return found


def described_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON Schema with descriptions of the fields of all its models."""
    schema = model.model_json_schema()
    parts = {**schema.get("$defs", {}), model.__name__: schema}
    for found in _models_in(model):
        for base in reversed(found.__mro__):
            if base is not BaseModel and issubclass(base, BaseModel):
                for field, text in descriptions(base).items():
                    parts[found.__name__]["properties"][field]["description"] = text
    return schema


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in an annotation, and those in their fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models_in(field.annotation)
    for part in get_args(annotation):
        yield from _models_in(part)
