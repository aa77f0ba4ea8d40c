"""A YourTTS model with random weights, in three languages, and its speaker encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from dubbing.engines.adapters._torch import prepare
from tiny import vits

NUMBERS = 32
"""Length of a speaker's vector; 512 in the published model."""
LANGUAGES = {"en": 0, "fr-fr": 1, "pt-br": 2}


def make(folder: Path, size: int = 1, **changes: Any) -> None:
    """Write the files of the published archive; ``size`` multiplies the model's channels."""
    (folder / "language_ids.json").write_text(json.dumps(LANGUAGES))
    (folder / "speakers.json").write_text(json.dumps(_speakers()))
    _write_encoder(folder)
    arguments = {
        "use_d_vector_file": True,
        "d_vector_file": ["/train/speakers.json"],
        "d_vector_dim": NUMBERS,
        "use_language_embedding": True,
        "embedded_language_dim": 4,
        "language_ids_file": "/train/language_ids.json",
        "use_speaker_encoder_as_loss": True,
        "speaker_encoder_model_path": "/train/model_se.pth",
        "speaker_encoder_config_path": "/train/config_se.json",
    }
    vits.write(folder, arguments | changes.pop("model_args", {}), size, **changes)


def _speakers() -> dict[str, Any]:
    """Return two clips for each of two speakers; one name is published with a line break."""
    random = np.random.default_rng(0)
    names = ("female-en-5\n", "male-pt-3")
    return {
        f"{number}.wav": {
            "name": names[number % 2],
            "embedding": random.normal(size=NUMBERS).tolist(),
        }
        for number in range(4)
    }


def _write_encoder(folder: Path) -> None:
    prepare()
    import torch
    from TTS.config import load_config
    from TTS.encoder.utils.generic_utils import setup_encoder_model

    audio = {
        "sample_rate": 16_000,
        "fft_size": 512,
        "win_length": 400,
        "hop_length": 160,
        "num_mels": 16,
        "preemphasis": 0.97,
        "do_trim_silence": False,
    }
    parts = {
        "model_name": "lstm",
        "input_dim": 16,
        "proj_dim": NUMBERS,
        "lstm_dim": 32,
        "num_lstm_layers": 1,
        "use_torch_spec": True,
    }
    config = {"model": "speaker_encoder", "audio": audio, "model_params": parts}
    path = folder / "config_se.json"
    path.write_text(json.dumps(config | {"distributed_url": "tcp://localhost:54321"}))
    with torch.random.fork_rng():
        torch.manual_seed(2)
        encoder = setup_encoder_model(load_config(path))
    torch.save({"model": encoder.state_dict()}, folder / "model_se.pth")
