"""An XTTS model with random weights, which speaks about one audio token per character.

Its language model is that of `tiny.votes`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plugins.small_decoder import shrink

from dubbing.engines.adapters._torch import prepare
from dubbing.engines.adapters._xtts.model import build
from tiny.votes import END, VOTE, settle

PACE = 20.0
"""Characters a second."""
LANGUAGES = (
    "en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar", "zh-cn", "hu", "ko",
    "ja", "hi",
)  # fmt: skip
SPECIAL = ("[STOP]", "[UNK]", "[SPACE]", "[START]", *(f"[{tag}]" for tag in LANGUAGES))
SIGNS = "abcdefghijklmnopqrstuvwxyzäöüßéèêëàâáãçíïîóôõúùûñ0123456789!'(),-.:;?"

KEEN, LOUDER = 20.0, 1.5

PUBLISHED = {
    "gpt_layers": 30,
    "gpt_n_model_channels": 1024,
    "gpt_n_heads": 16,
    "gpt_num_audio_tokens": 1026,
    "gpt_start_audio_token": 1024,
    "gpt_stop_audio_token": 1025,
}
"""The sizes of XTTS-v2."""


def make(folder: Path, size: int = 1, *, endless: bool = False, **changes: Any) -> None:
    """Write the files of the published folder, and dubbing.json with the pace of the model.

    ``size`` multiplies the channels of the language model. From now on the decoder is small in this
    process and in those that it starts. ``endless``: no line comes to an end.
    """
    shrink()
    own = {
        "gpt_layers": 2,
        "gpt_n_model_channels": 32 * size,
        "decoder_input_dim": 32 * size,
        "gpt_n_heads": 2,
        "gpt_num_audio_tokens": 66,
        "gpt_start_audio_token": 64,
        "gpt_stop_audio_token": 65,
    }
    write(folder, own | changes.pop("model_args", {}), endless=endless, **changes)


def write(
    folder: Path, arguments: dict[str, Any], *, endless: bool = False, **changes: Any
) -> None:
    """Write a model with the given sizes."""
    prepare()
    import torch
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer

    config = {**_config(arguments), **changes}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "dubbing.json").write_text(json.dumps({"characters_per_second": {"*": PACE}}))
    _write_vocabulary(folder / "vocab.json")
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        model = build(config)
        model.tokenizer = VoiceBpeTokenizer(str(folder / "vocab.json"))
        model.init_models()
        model.gpt.conditioning_perceiver.norm.gamma[[VOTE, END]] = 0.0
        settle(model.gpt, model.gpt.stop_audio_token, endless=endless)
        _attune(model.hifigan_decoder.waveform_decoder)
        torch.save(_studio(model), folder / "speakers_xtts.pth")
    torch.save({"model": model.state_dict()}, folder / "model.pth")


def _config(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the published configuration, with other sizes."""
    common = {
        "gpt_max_audio_tokens": 605,
        "gpt_max_text_tokens": 402,
        "gpt_max_prompt_tokens": 70,
        "gpt_use_perceiver_resampler": True,
        "tokenizer_file": "/train/vocab.json",
        "output_sample_rate": 24_000,
    }
    return {
        "model": "xtts",
        "model_args": common | arguments,
        "audio": {"sample_rate": 22_050, "output_sample_rate": 24_000},
        "languages": list(LANGUAGES),
        "temperature": 0.75,
        "repetition_penalty": 5.0,
        "top_k": 50,
        "top_p": 0.85,
        "gpt_cond_len": 30,
        "gpt_cond_chunk_len": 4,
        "max_ref_len": 30,
        "output_path": "/train/runs",
    }


def _write_vocabulary(path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import BPE

    numbers = {token: number for number, token in enumerate([*SPECIAL, *SIGNS])}
    tokenizer = Tokenizer(BPE(vocab=numbers, merges=[], unk_token="[UNK]"))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.save(str(path))


def _studio(model: Any) -> dict[str, Any]:
    """Return two voices in the form of the published studio's."""
    import torch

    voices = {}
    for name in ("Ann Other", "Bob Sample"):
        latents = torch.randn(1, 32, model.args.gpt_n_model_channels)
        latents[..., [VOTE, END]] = 0.0
        embedding = torch.nn.functional.normalize(torch.randn(1, 512), dim=1)[..., None]
        voices[name] = {"gpt_cond_latent": latents, "speaker_embedding": embedding}
    return voices


def _attune(decoder: Any) -> None:
    """Make the decoder depend on the drawn tokens but not on the votes, and be loud."""
    decoder.conv_pre.weight.mul_(KEEN)
    decoder.conv_pre.weight[:, [VOTE, END]] = 0.0
    decoder.conv_post.weight.mul_(LOUDER)
