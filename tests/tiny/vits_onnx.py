"""The tiny VITS as coqui-tts exports it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from dubbing.engines.adapters._coqui.config import checkpoint
from dubbing.engines.adapters._coqui.vits import build
from tiny import vits


def make(folder: Path, **changes: Any) -> None:
    """Write the model.onnx and config.json of a model with two speakers.

    Its durations are not drawn, which makes the graph a third as large.
    """
    vits.make(folder, model_args={"use_sdp": False}, **changes)
    export(folder)


def export(folder: Path) -> None:
    """Write model.onnx in place of the checkpoint."""
    model = build("vits-onnx", folder)
    model.load_checkpoint(model.config, str(checkpoint(folder)), eval=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.export_onnx(str(folder / "model.onnx"), verbose=False)
    checkpoint(folder).unlink()
