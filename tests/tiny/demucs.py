"""A tiny Hybrid Transformer Demucs of random weights, in the form of those that are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SIZES = {
    "channels": 4,
    "dconv_comp": 2,
    "bottom_channels": 8,
    "t_layers": 1,
    "t_heads": 2,
    "t_hidden_scale": 1.0,
}
SOURCES = ["drums", "bass", "other", "vocals"]


def make(folder: Path, klass: str = "demucs.htdemucs.HTDemucs", **changes: Any) -> Path:
    """Write a model that hears one second at a time; return its file."""
    import torch
    from demucs_infer.htdemucs import HTDemucs
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    kwargs = {"sources": SOURCES, "segment": 1, **SIZES, **changes}
    state = HTDemucs(**kwargs).half().state_dict()
    path = folder / "model.safetensors"
    about = {"klass": klass, "args": "[]", "kwargs": json.dumps(kwargs)}
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path, about)
    return path
