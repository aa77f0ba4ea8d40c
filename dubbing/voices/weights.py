"""Reads arrays from a file of weights in torch's old format, without torch.

Such a file is a sequence of pickles: the magic number, the version, facts about the machine, the
object, whose tensors refer to storages, and the names of the storages. The numbers of each storage
follow, in the order of the names.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

_MARK, _VERSION = 0x1950A86A20F9469CFC6C, 1001


class _Tensor(NamedTuple):
    """A contiguous part of a storage."""

    storage: str
    first: int
    shape: tuple[int, ...]


def read_weights(path: Path, part: str) -> dict[str, Array]:
    """Return the float32 tensors of the mapping ``part`` of a file's object, by name.

    Code in the file is not run. Raises pickle.UnpicklingError, EOFError or ValueError for a file in
    another format, with other objects, or cut short.
    """
    with path.open("rb") as file:
        if (_load(file), _load(file)) != (_MARK, _VERSION):
            raise pickle.UnpicklingError("it is not in torch's old format")
        _load(file)
        found, names = _load(file)[part], _load(file)
        storages = {name: _numbers(file) for name in names}
    return {
        name: storages[tensor.storage][tensor.first :][: np.prod(tensor.shape, dtype=int)]
        .reshape(tensor.shape)
        .copy()
        for name, tensor in found.items()
    }


class _Outline(pickle.Unpickler):
    """Reads names, numbers and the places of tensors; it knows no other class."""

    def find_class(self, module: str, name: str, /) -> Any:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return lambda storage, first, shape, *_: _Tensor(storage, first, shape)
            case "torch", "FloatStorage":
                return None
        raise pickle.UnpicklingError(f"it holds {module}.{name}, and not weights alone")

    def persistent_load(self, pid: Any) -> str:
        _, _, name, *_ = pid
        return str(name)


def _load(file: BinaryIO) -> Any:
    return _Outline(file).load()


def _numbers(file: BinaryIO) -> Array:
    count = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(4 * count), "<f4", count)
