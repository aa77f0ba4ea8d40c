"""ONNX graphs run by onnxruntime: their devices, inputs, outputs and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dubbing.engines.models.folders import within
from dubbing.engines.threads import threads
from dubbing.errors import BadInput, EngineFailed, EngineMissing

ONNX = ("onnxruntime",)
"""The modules that the extra installs, by import name."""

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
ERRORS_ONLY = 3

Array = npt.NDArray[Any]

TYPES: dict[str, type[np.generic]] = {
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
}


class Graph:
    """A loaded graph."""

    def __init__(self, folder: Path, name: str, device: str) -> None:
        """Load ``name`` from a model's folder.

        onnxruntime itself reads weights only from the folder of a graph. Raises BadInput for a
        graph that is missing or outside ``folder``, EngineFailed for a graph that cannot be loaded,
        and EngineMissing if onnxruntime cannot use the device.
        """
        self.path = within(folder, name)
        if not self.path.is_file():
            raise BadInput("there is no such file", where=str(self.path))
        self._session = session(self.path, device)
        self._types = {each.name: each.type for each in self._session.get_inputs()}
        self.inputs = {each.name: tuple(each.shape) for each in self._session.get_inputs()}
        self.outputs = tuple(each.name for each in self._session.get_outputs())

    @property
    def files(self) -> list[Path]:
        """The graph, and the files beside it that hold its weights, if there are any."""
        paths = self.path.parent.glob(f"{self.path.stem}*")
        return [path for path in paths if path.suffix != ".json" and path.is_file()]

    def check(self, inputs: Mapping[str, str], outputs: Mapping[str, str], where: Path) -> None:
        """Raise BadInput unless the graph has the inputs and outputs of a configuration.

        inputs, outputs: their names, by field of the configuration. where: the configuration.
        """
        for kind, named, known in (
            ("input", inputs, list(self.inputs)), ("output", outputs, list(self.outputs))
        ):  # fmt: skip
            for field, name in named.items():
                if name not in known:
                    raise BadInput(
                        f"{field}: {self.path.name} has no {kind} {name!r}; it has: "
                        f"{', '.join(known)}",
                        where=str(where),
                    )
        if unnamed := self.inputs.keys() - set(inputs.values()):
            raise BadInput(
                f"{self.path.name} needs {', '.join(map(repr, sorted(unnamed)))}, too, and no "
                "field names it",
                where=str(where),
            )

    def takes_rows(self, name: str) -> bool:
        """Whether an input takes any number of rows."""
        shape = self.inputs[name]
        return bool(shape) and not isinstance(shape[0], int)

    def fitted(self, name: str, value: npt.ArrayLike) -> Array:
        """Return ``value``, whose first axis is rows, with as many axes as an input has.

        An input without an axis of rows, or with exactly one row, gets only the first row.
        """
        shape, array = self.inputs[name], np.asarray(value)
        while array.ndim > len(shape):
            array = array[0]
        return array[:1] if shape[:1] == (1,) else array

    def run(self, inputs: Mapping[str, npt.ArrayLike], outputs: Sequence[str]) -> list[Array]:
        """Run the graph; return ``outputs``, in their order. Raises EngineFailed."""
        given = {
            name: np.asarray(value, TYPES.get(self._types[name])) for name, value in inputs.items()
        }
        try:
            results: list[Array] = self._session.run(list(outputs), given)
        except Exception as exc:  # onnxruntime's errors have no class of their own
            raise EngineFailed(f"{self.path.name}: {exc}") from exc
        return results


def session(path: Path, device: str) -> Any:
    """Return onnxruntime's session of a graph, on the threads of this process.

    Raises EngineFailed for a graph that cannot be loaded, and EngineMissing if onnxruntime cannot
    use the device.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads(), 1
    options.log_severity_level = ERRORS_ONLY
    providers = _providers(device)
    try:
        opened = onnxruntime.InferenceSession(str(path), sess_options=options, providers=providers)
    except Exception as exc:  # as above
        raise EngineFailed(f"{path.name} is not an ONNX model that can be loaded: {exc}") from exc
    if device.startswith("cuda") and CUDA not in opened.get_providers():
        raise EngineFailed(f"onnxruntime cannot use the card {device!r}: see its own message")
    return opened


def _providers(device: str) -> list[Any]:
    import onnxruntime

    if not device.startswith("cuda"):
        return [CPU]
    if CUDA not in onnxruntime.get_available_providers():
        raise EngineMissing(
            f"this onnxruntime cannot use {device!r}: install onnxruntime-gpu in its place, or "
            "speak on the CPU with DUBBING_DEVICE=cpu"
        )
    number = int(device.partition(":")[2] or 0)
    # By default, cuDNN would try every algorithm for each new length.
    return [(CUDA, {"device_id": number, "cudnn_conv_algo_search": "DEFAULT"}), CPU]


def graphs(folder: Path) -> list[Path]:
    """Return the graph in a folder, if there is one; raises BadInput when there are several."""
    paths = sorted(folder.glob("*.onnx"))
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise BadInput(
            f"there are {len(paths)} graphs, {names}: give each a folder of its own",
            where=str(folder),
        )
    return paths
