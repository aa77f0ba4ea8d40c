"""A FastSpeech2 with random weights, which gives each symbol six frames, and a HiFiGAN."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from dubbing.engines.adapters._coqui.config import read_model_config
from dubbing.engines.adapters._coqui.forward_tts import build
from dubbing.engines.adapters._coqui.vocoder import VOCODER, VOCODER_CONFIG
from dubbing.engines.adapters._coqui.vocoder import build as build_vocoder
from dubbing.engines.adapters._torch import prepare

RATE = 16_000
UPSAMPLING = [8, 4, 4]
MELS = 16
FRAMES = 6
"""Frames per symbol."""
LOUDER = 1.5
SPEAKERS = {"ann": 0, "bob": 1}


def make(
    folder: Path, vocoder: dict[str, Any] | None = None, size: int = 1, **changes: Any
) -> None:
    """Write a model of two speakers, and a vocoder.

    ``changes`` are to the model's configuration, ``vocoder`` to the vocoder's. ``size`` multiplies
    the channels of both.
    """
    prepare()
    import torch

    (folder / "speaker_ids.json").write_text(json.dumps(SPEAKERS))
    arguments = sizes(size) | changes.pop("model_args", {})
    config = {"model": "fastspeech2", "model_args": arguments, **common(), **changes}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "dubbing.json").write_text(json.dumps({"characters_per_second": {"*": pace()}}))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = build(read_model_config(folder))
        _settle(model)
        write_vocoder(folder, size, **vocoder or {})
    torch.save({"model": model.state_dict()}, folder / "model.pth")


def write_vocoder(folder: Path, size: int, **changes: Any) -> None:
    import torch
    from TTS.vocoder.configs import HifiganConfig

    config = {
        "model": "hifigan",
        "audio": audio(),
        "generator_model_params": generator(size),
    } | changes
    config["generator_model"] = "hifigan_generator"
    (folder / VOCODER_CONFIG).write_text(json.dumps(config))
    settings = HifiganConfig()
    settings.from_dict(config)
    made = build_vocoder(settings)
    for name, weight in made.named_parameters():
        # Without biases, the sound depends on the spectrogram alone.
        weight.data.mul_(0.0 if name.endswith("bias") else 1.0 if "original1" in name else LOUDER)
    torch.save({"model": made.state_dict(), "model_disc": {}}, folder / VOCODER)


def by_coqui_tts(folder: Path, text: str, speaker: int) -> Any:
    """Return the samples of coqui-tts's own classes, by the steps of its `Synthesizer`."""
    import torch
    from TTS.config import load_config
    from TTS.tts.models.forward_tts import ForwardTTS
    from TTS.utils.audio import AudioProcessor
    from TTS.vocoder.models import setup_generator
    from TTS.vocoder.utils.generic_utils import interpolate_vocoder_input

    config = load_config(folder / "config.json")
    config.model_args.speakers_file = str(folder / "speaker_ids.json")
    model = ForwardTTS(config)
    model.load_checkpoint(config, str(folder / "model.pth"), eval=True)
    settings = load_config(folder / VOCODER_CONFIG)
    vocoder, processor = setup_generator(settings), AudioProcessor(settings.audio)
    vocoder.load_checkpoint(settings, str(folder / VOCODER), eval=True)
    symbols = torch.tensor([model.tokenizer.text_to_ids(text, "en")])
    told = {"speaker_ids": torch.tensor([speaker]), "d_vectors": None}
    mel = model.inference(symbols, told)["model_outputs"][0].numpy().T
    scale = settings.audio.sample_rate / model.ap.sample_rate
    given = interpolate_vocoder_input([1, scale], processor.normalize(model.ap.denormalize(mel)))
    wave = vocoder.inference(given).squeeze().detach().numpy()
    held = 5 * model.ap.hop_length
    return wave[held:-held]


def pace() -> float:
    return RATE / math.prod(UPSAMPLING) / FRAMES


def _settle(model: Any) -> None:
    """Let each symbol last equally long."""
    model.duration_predictor.proj.weight.data.zero_()
    model.duration_predictor.proj.bias.data.fill_(math.log(FRAMES + 1))
    model.decoder.decoder.postnet.weight.data.mul_(LOUDER)


def sizes(size: int) -> dict[str, Any]:
    layers = {"hidden_channels_ffn": 32 * size, "num_heads": 2, "num_layers": 2, "dropout_p": 0.1}
    return {
        "hidden_channels": 32 * size,
        "out_channels": MELS,
        "use_aligner": False,
        "use_pitch": True,
        "use_energy": True,
        "duration_predictor_hidden_channels": 16 * size,
        "pitch_predictor_hidden_channels": 16 * size,
        "energy_predictor_hidden_channels": 16 * size,
        "encoder_params": layers,
        "decoder_params": layers,
        "use_speaker_embedding": True,
        "speakers_file": "/train/speaker_ids.json",
    }


def generator(size: int) -> dict[str, Any]:
    return {
        "upsample_factors": UPSAMPLING,
        "upsample_kernel_sizes": [2 * rate for rate in UPSAMPLING],
        "upsample_initial_channel": 32 * size,
        "resblock_kernel_sizes": [3],
        "resblock_dilation_sizes": [[1, 3]],
        "resblock_type": "2",
    }


def audio(**changes: Any) -> dict[str, Any]:
    return {
        "sample_rate": RATE,
        "fft_size": 512,
        "win_length": 512,
        "hop_length": math.prod(UPSAMPLING),
        "num_mels": MELS,
        "signal_norm": False,
        "spec_gain": 1.0,
        "log_func": "np.log",
        "griffin_lim_iters": 10,
        "power": 1.0,
        "preemphasis": 0.0,
        **changes,
    }


def common() -> dict[str, Any]:
    """Return what every configuration holds; the address is in all published ones."""
    return {
        "audio": audio(),
        "datasets": [{"language": "en"}],
        "characters": {
            "characters_class": "TTS.tts.utils.text.characters.Graphemes",
            "characters": "abcdefghijklmnopqrstuvwxyz",
            "punctuations": "!'(),-.:;? ",
            "pad": "_",
            "eos": "~",
            "bos": "^",
            "blank": "#",
        },
        "text_cleaner": "multilingual_cleaners",
        "distributed_url": "tcp://localhost:54321",
        "output_path": "/train/runs",
    }
