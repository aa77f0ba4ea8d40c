"""XTTS by coqui-tts: loading its files, and deriving voices from references."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import soxr

from dubbing.engines.adapters._coqui.config import Plain, read_model_config, read_pickle
from dubbing.engines.adapters._torch import fix_weights, loading, prepare
from dubbing.engines.engine import VoiceForm
from dubbing.engines.models.folders import within
from dubbing.errors import BadInput
from dubbing.media.samples import Audio, peak

MODEL, VOCABULARY, STUDIO = "model.pth", "vocab.json", "speakers_xtts.pth"
"""Files in the folder: weights, text tokens, and optionally the studio voices."""
LATENTS, EMBEDDING = "gpt_cond_latent", "speaker_embedding"
"""The parts of a voice: for the language model, and for the decoder."""

RATE = 22_050
"""Sample rate of references, in Hz."""
LOUD = 0.75
"""Peak of a reference, if the model's configuration asks for one."""


def load(name: str, folder: Path, device: str) -> Any:
    """Return coqui-tts's `Xtts`, ready to speak; nothing is written to the folder.

    Raises EngineFailed for files that cannot be loaded, and BadInput for a configuration that
    reaches outside the folder.
    """
    prepare()
    config = read_model_config(folder)
    with loading(name, folder):
        _check_vocabulary(folder / VOCABULARY)
        model = build(config)
        # coqui-tts's own reader would rewrite the published weights in place.
        model._load_checkpoint = _read_weights
        model.load_checkpoint(
            model.config,
            checkpoint_dir=str(folder),
            vocab_path=str(folder / VOCABULARY),
            speaker_file_path=str(within(folder, STUDIO)),
        )
        _quicken(model)
        return model.to(device)


def _check_vocabulary(path: Path) -> None:
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer

    try:
        VoiceBpeTokenizer(str(path))
    # The tokenizer raises nothing more specific.
    except Exception as exc:
        raise ValueError(f"{path.name}: {exc}") from exc


def build(config: dict[str, Any]) -> Any:
    """Return coqui-tts's `Xtts`, without its language model yet."""
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import Xtts

    # transformers warns of missing token ids, which XTTS sets itself.
    logging.getLogger("transformers").setLevel(logging.ERROR)
    settings = XttsConfig()
    settings.from_dict(config)
    return Xtts(settings)


def _read_weights(path: Path) -> dict[str, Any]:
    import torch
    from TTS.tts.models.xtts import _legacy_safe_globals

    # The published weights also contain their configuration, as objects of these classes.
    with _legacy_safe_globals():
        weights: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    return weights["model"]  # type: ignore[no-any-return]


def _quicken(model: Any) -> None:
    """Make layers compute the same result in fewer steps."""
    import torch

    fix_weights(model.hifigan_decoder)
    for layer in model.gpt.gpt.h:
        layer.mlp.act = torch.nn.GELU(approximate="tanh")


def studio(model: Any) -> dict[str, VoiceForm]:
    """Return the studio's voices by name, in the form that `hear` returns."""
    if model.speaker_manager is None:
        return {}
    return {
        name: {key: voice[key].float().numpy() for key in (LATENTS, EMBEDDING)}
        for name, voice in model.speaker_manager.speakers.items()
    }


def studio_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the studio's voices, read without torch; raises BadInput."""
    path = within(folder, STUDIO)
    voices = read_pickle(path, _Outline) if path.is_file() else {}
    if not isinstance(voices, dict):
        raise BadInput("it does not map names to voices", where=str(path))
    return tuple(map(str, voices))


class _Outline(Plain):
    """Reads names and plain values, and replaces each tensor by None."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("torch") or name == "OrderedDict":
            return lambda *arguments: None
        return super().find_class(module, name)

    def persistent_load(self, pid: object) -> None:
        return None


def hear(model: Any, reference: Audio) -> VoiceForm:
    """Return the form of a voice, derived from a reference.

    ``{"gpt_cond_latent": (1, positions, channels), "speaker_embedding": (1, channels, 1)}``,
    float32.
    """
    import torch

    config = model.config
    samples = soxr.resample(reference.samples, reference.rate, RATE)
    if config.sound_norm_refs:
        samples *= LOUD / peak(samples)
    wave = torch.from_numpy(samples)[None].to(model.device)
    parts = wave.tensor_split(math.ceil(reference.seconds / config.max_ref_len), dim=1)
    embeddings = [model.get_speaker_embedding(part, RATE) for part in parts]
    latents = model.get_gpt_cond_latents(
        wave, RATE, length=config.gpt_cond_len, chunk_length=config.gpt_cond_chunk_len
    )
    embedding = torch.stack(embeddings).mean(dim=0)
    return {LATENTS: latents.cpu().numpy(), EMBEDDING: embedding.cpu().numpy()}
