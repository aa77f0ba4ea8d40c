"""Files of weights in torch's old format, read without torch."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pickles import Evil

from dubbing.voices.weights import read_weights


def saved(content: object, folder: Path, *, old: bool = True) -> Path:
    import torch

    path = folder / "weights.pt"
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    return path


def network() -> Any:
    import torch

    torch.manual_seed(1)
    return torch.nn.LSTM(7, 12, num_layers=2)


def test_the_weights_are_those_that_torch_saved(tmp_path: Path) -> None:
    asked = network().state_dict()
    path = saved({"step": 3, "others": network().state_dict(), "asked": asked}, tmp_path)
    found = read_weights(path, "asked")
    assert found.keys() == asked.keys()
    for name, part in asked.items():
        np.testing.assert_array_equal(found[name], part.numpy())


def test_parts_of_one_storage_are_told_apart(tmp_path: Path) -> None:
    import torch

    whole = torch.arange(10, dtype=torch.float32)
    found = read_weights(saved({"asked": {"a": whole[:4], "b": whole[4:]}}, tmp_path), "asked")
    assert (found["a"].tolist(), found["b"].tolist()) == ([0, 1, 2, 3], [4, 5, 6, 7, 8, 9])


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    path = saved({"asked": Evil(tmp_path / "trace")}, tmp_path)
    with pytest.raises(pickle.UnpicklingError, match="not weights alone"):
        read_weights(path, "asked")
    assert not (tmp_path / "trace").exists()


def test_a_file_in_another_format_is_refused(tmp_path: Path) -> None:
    path = saved({"asked": network().state_dict()}, tmp_path, old=False)
    with pytest.raises(pickle.UnpicklingError):
        read_weights(path, "asked")


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = saved({"asked": network().state_dict()}, tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="buffer"):
        read_weights(path, "asked")
