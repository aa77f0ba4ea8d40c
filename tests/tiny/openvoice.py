"""A small converter: its output is noise of the length of its input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONFIG = {
    "_version_": "v2",
    "data": {
        "sampling_rate": 22050,
        "filter_length": 512,
        "hop_length": 256,
        "win_length": 512,
        "n_speakers": 0,
    },
    "model": {
        "zero_g": True,
        "inter_channels": 16,
        "hidden_channels": 16,
        "filter_channels": 32,
        "n_heads": 2,
        "n_layers": 2,
        "kernel_size": 3,
        "p_dropout": 0.1,
        "resblock": "1",
        "resblock_kernel_sizes": [3],
        "resblock_dilation_sizes": [[1, 3, 5]],
        "upsample_rates": [8, 8, 2, 2],
        "upsample_initial_channel": 64,
        "upsample_kernel_sizes": [16, 16, 4, 4],
        "n_layers_q": 3,
        "use_spectral_norm": False,
        "gin_channels": 32,
    },
}
PEAK = 0.4
"""Approximate peak of the decoder's output."""


def make(folder: Path, **model: Any) -> None:
    from dubbing.engines.adapters._torch import prepare

    prepare()
    import torch
    from TTS.vc.configs.openvoice_config import OpenVoiceConfig
    from TTS.vc.models.openvoice import OpenVoice

    folder.mkdir(exist_ok=True)
    config = CONFIG | {"model": CONFIG["model"] | model}
    (folder / "config.json").write_text(json.dumps(config))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        settings = OpenVoiceConfig()
        settings.from_dict({"model_args": config["model"]})
        settings.audio.fft_size = config["data"]["filter_length"]
        network = OpenVoice(settings).eval()
        with torch.inference_mode():
            _distinguish(network)
    torch.save({"model": network.state_dict()}, folder / "checkpoint.pth")


def _distinguish(network: Any) -> None:
    """Make voices differ and be audible: before training, a network nearly lacks both."""
    import torch

    for layer in network.flow.flows[::2]:
        layer.post.weight.normal_(0, 3)
    network.ref_enc.proj.weight.normal_(0, 3)
    network.ref_enc.proj.bias.zero_()
    network.dec.cond.weight.normal_(0, 1)
    channels = network.args.inter_channels
    network.enc_q.proj.weight[:channels].normal_(0, 3)
    latent, colour = 3 * torch.randn(1, channels, 50), torch.zeros(1, network.args.gin_channels, 1)
    wave = network.dec(latent, g=colour)
    network.dec.conv_post.weight *= PEAK / wave.abs().max().atanh()
