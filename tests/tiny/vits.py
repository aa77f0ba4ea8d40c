"""A VITS model with random weights, which gives each symbol about four frames."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from dubbing.engines.adapters._coqui.vits import build
from dubbing.engines.adapters._torch import prepare

RATE = 16_000
UPSAMPLING = [8, 4, 4]
FRAMES = 3.5
"""Frames per symbol, before rounding up; there is a blank before and after each letter."""
SPREAD = 2.5
"""Durations spread by the exponential of minus this."""
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéèêëàâáãçíïîóôõúùûñ"
SPEAKERS = {"ann": 0, "bob": 1}


def make(folder: Path, size: int = 1, **changes: Any) -> None:
    """Write a model of two speakers; ``size`` multiplies its channels."""
    (folder / "speaker_ids.json").write_text(json.dumps(SPEAKERS))
    arguments = {"use_speaker_embedding": True, "speakers_file": "/train/speaker_ids.json"}
    config = {"datasets": [{"language": "en"}], **changes}
    write(folder, arguments | config.pop("model_args", {}), size, **config)


def write(folder: Path, arguments: dict[str, Any], size: int = 1, **changes: Any) -> None:
    """Write config.json, model.pth, and dubbing.json with the pace of the model."""
    prepare()
    import torch

    config = {"model": "vits", "model_args": sizes(size) | arguments, **common(), **changes}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "dubbing.json").write_text(json.dumps({"characters_per_second": {"*": pace()}}))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = build("vits", folder)
        _settle(model)
    torch.save({"model": model.state_dict()}, folder / "model.pth")


def pace() -> float:
    """Return the characters per second, each with a blank."""
    return RATE / math.prod(UPSAMPLING) / (2 * math.ceil(FRAMES))


def _settle(model: Any) -> None:
    """Let each symbol last about equally long, and the sound be loud."""
    if model.args.use_sdp:
        last = model.duration_predictor.flows[0]
        last.log_scale.data.fill_(SPREAD)
        last.translation.data.fill_(-math.log(FRAMES) * math.exp(SPREAD))
    else:
        model.duration_predictor.proj.weight.data.zero_()
        model.duration_predictor.proj.bias.data.fill_(math.log(FRAMES))
    model.waveform_decoder.conv_post.weight.data.mul_(LOUDER)


LOUDER = 5.0


def sizes(size: int) -> dict[str, Any]:
    return {
        "hidden_channels": 16 * size,
        "hidden_channels_ffn_text_encoder": 32 * size,
        "num_layers_text_encoder": 2,
        "num_layers_posterior_encoder": 1,
        "num_layers_flow": 2,
        "out_channels": 65,
        "resblock_type_decoder": "2",
        "resblock_kernel_sizes_decoder": [3],
        "resblock_dilation_sizes_decoder": [[1, 3]],
        "upsample_rates_decoder": UPSAMPLING,
        "upsample_kernel_sizes_decoder": [2 * rate for rate in UPSAMPLING],
        "upsample_initial_channel_decoder": 32 * size,
        "speaker_embedding_channels": 8,
        "init_discriminator": False,
    }


def common() -> dict[str, Any]:
    """Return what every configuration holds; the address is in all published ones."""
    return {
        "audio": {
            "sample_rate": RATE,
            "fft_size": 128,
            "win_length": 128,
            "hop_length": math.prod(UPSAMPLING),
            "num_mels": 16,
        },
        "characters": {
            "characters_class": "TTS.tts.models.vits.VitsCharacters",
            "characters": LETTERS,
            "punctuations": "!'(),-.:;? ",
            "phonemes": "",
            "pad": "_",
        },
        "text_cleaner": "multilingual_cleaners",
        "add_blank": True,
        "distributed_url": "tcp://localhost:54321",
        "output_path": "/train/runs",
    }
