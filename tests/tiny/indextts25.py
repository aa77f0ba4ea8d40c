"""An IndexTTS-2.5 with random weights, which speaks about one audio token per character.

Its language model is that of `tiny.votes`. No configuration makes the model smaller that tells
speakers apart: it has its published 7 million weights.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from dubbing.engines.adapters._torch import prepare
from tiny.votes import END, VOTE, settle

PACE = 25.0
"""Characters a second."""
CHANNELS, HEARD, MELS, STYLE, FEATURES = 32, 32, 80, 192, 160
FEELINGS = (3, 17, 2, 8, 4, 5, 10, 24)
"""How many examples of each feeling the published model has."""
BYTES = (ord("!"), 0, *range(1, ord("!")), *range(ord("!") + 1, 256))
"""The text tokens, each a byte; the second one ends a text, and is in none."""
SPECIAL_TOKENS = 1673
CODES, CLASSES = 1024, 4
"""The audio tokens, and how many kinds of sound they stand for."""
FELT = slice(CHANNELS // 2, CHANNELS)
"""The channels of the language model that hold voice and emotion alone."""
MOVED = 300.0
"""Weight of voice and emotion in the choice of audio tokens."""
FELT_SIZE = 3.0
"""Size of the emotion of a voice."""
HARMONICS = (1, 2, 3, 4)
"""What the vocoder sounds, in multiples of 86 Hz."""
LOUD = 0.3
CLEAR = 100.0
"""Size of what the tokens say, relative to the noise that speech starts from."""

GPT = {
    "model_dim": CHANNELS,
    "max_mel_tokens": 1815,
    "max_text_tokens": 600,
    "heads": 2,
    "layers": 2,
    "number_text_tokens": len(BYTES) + SPECIAL_TOKENS,
    "number_mel_codes": CODES + 2,
    "start_mel_token": CODES,
    "stop_mel_token": CODES + 1,
    "start_text_token": 0,
    "stop_text_token": 1,
    "emo_condition_module": {
        "output_size": 16,
        "linear_units": 16,
        "attention_heads": 1,
        "num_blocks": 1,
        "input_layer": "conv2d2",
        "perceiver_mult": 0.01,
    },
}
CODEC = {
    "codebook_size": CODES,
    "hidden_size": HEARD,
    "codebook_dim": 8,
    "vocos_dim": CHANNELS,
    "vocos_intermediate_dim": CHANNELS,
    "vocos_num_layers": 1,
}
S2MEL = {
    "preprocess_params": {
        "sr": 22_050,
        "spect_params": {
            "n_fft": 1024, "win_length": 1024, "hop_length": 256, "n_mels": MELS, "fmin": 0,
            "fmax": "None",
        },
    },
    "dit_type": "DiT",
    "style_encoder": {"dim": STYLE},
    "length_regulator": {
        "channels": CHANNELS, "in_channels": HEARD, "content_codebook_size": 8,
        "sampling_ratios": [1],
    },
    "DiT": {
        "hidden_dim": CHANNELS, "num_heads": 2, "depth": 1, "class_dropout_prob": 0.1,
        "in_channels": MELS, "style_condition": True, "final_layer_type": "wavenet",
        "content_dim": CHANNELS, "content_codebook_size": 8, "content_type": "discrete",
        "is_causal": False, "long_skip_connection": True, "uvit_skip_connection": True,
        "time_as_token": False, "style_as_token": False,
    },
    "wavenet": {
        "hidden_dim": CHANNELS, "num_layers": 1, "kernel_size": 5, "dilation_rate": 1,
        "p_dropout": 0.2, "style_condition": True,
    },
}  # fmt: skip
VOCODER = {
    "resblock": "1", "num_mels": MELS, "upsample_rates": [256],
    "upsample_kernel_sizes": [512], "upsample_initial_channel": 2 * len(HARMONICS),
    "resblock_kernel_sizes": [3], "resblock_dilation_sizes": [[1, 3]],
    "activation": "snakebeta", "snake_logscale": True,
}  # fmt: skip


def make(folder: Path, *, endless: bool = False, **changes: Any) -> None:
    """Write the files of the published folder, and dubbing.json with the pace of the model.

    From now on the package expects small features of a recording, in this process. ``endless``: no
    line comes to an end. changes: to the configuration.
    """
    shrink()
    from omegaconf import OmegaConf

    config = OmegaConf.create(
        {
            "gpt": GPT, "semantic_codec": CODEC, "s2mel": S2MEL, "emo_num": list(FEELINGS),
            "gpt_checkpoint": "gpt.pth", "s2mel_checkpoint": "s2mel.pth",
            "w2v_stat": "wav2vec2bert_stats.pt", "emo_matrix": "feat2.pt",
            "spk_matrix": "feat1.pt", **changes,
        }
    )  # fmt: skip
    OmegaConf.save(config, folder / "config.yaml")
    (folder / "dubbing.json").write_text(json.dumps({"characters_per_second": {"*": PACE}}))
    lines = (f"{base64.b64encode(bytes([b])).decode()} {n}\n" for n, b in enumerate(BYTES))
    (folder / "multilingual_zh_ja_yue_char_del.tiktoken").write_text("".join(lines))
    import torch

    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        listener = _listener(folder / "hf_cache" / "w2v-bert-2.0")
        spectra = _write_models(folder, config, listener, endless=endless)
        _write_auxiliary(folder / "hf_cache", spectra)


def shrink() -> None:
    """Have the encoder of emotions take features as small as those of the tiny model."""
    prepare()
    from indextts25.gpt import model_v2

    real = model_v2.ConformerEncoder
    if not isinstance(real, type):
        return
    model_v2.ConformerEncoder = lambda **sizes: real(**sizes | {"input_size": HEARD})


def _write_models(folder: Path, config: Any, heard: Any, *, endless: bool) -> Any:
    """Return the spectrum of each kind of audio tokens."""
    import torch
    from indextts25.codec.models import EnhancedCodec
    from indextts25.gpt.model_v2 import UnifiedVoice
    from indextts25.s2mel.modules.commons import MyModel

    gpt = UnifiedVoice(**config.gpt)
    both = [VOTE, END]
    gpt.lang_embedding.weight[:, both] = 0.0
    for part in (gpt.spk_emb_proj, gpt.emo_layer):
        part.weight[both] = 0.0
        part.bias[both] = 0.0
    gpt.spk_emb_proj.weight.zero_()
    gpt.spk_emb_proj.bias.zero_()
    _part(gpt.eval(), *heard)
    settle(gpt, CODES + 1, endless=endless)
    _move(gpt)
    feelings = 2 * FELT_SIZE * torch.randn(sum(FEELINGS), CHANNELS)
    feelings[:, both] = 0.0
    codec = EnhancedCodec(**config.semantic_codec)
    _sort(codec)
    s2mel = MyModel(config.s2mel)
    _clear(s2mel.models["cfm"].estimator)
    net = {name: part.state_dict() for name, part in s2mel.models.items()}
    for name, written in {
        "gpt.pth": gpt.state_dict(),
        "codec.pth": {"model": codec.state_dict()},
        "s2mel.pth": {"net": net},
        "wav2vec2bert_stats.pt": {"mean": torch.zeros(HEARD), "var": torch.ones(HEARD)},
        "feat1.pt": torch.randn(sum(FEELINGS), STYLE),
        "feat2.pt": feelings,
    }.items():
        torch.save(written, folder / name)
    return torch.stack([_spectrum(kind, codec, s2mel.models) for kind in range(CLASSES)])


def _spectrum(kind: int, codec: Any, s2mel: Any) -> Any:
    """Return the mean spectrum of some tokens of one kind."""
    import torch

    frames = 100
    heard = codec.decode(torch.arange(kind, frames * CLASSES, CLASSES)[None] % CODES)
    length = torch.tensor([frames])
    condition = s2mel["length_regulator"](heard, ylens=length)
    cfm = s2mel["cfm"].eval()
    cfm.estimator.setup_caches(max_batch_size=1, max_seq_length=8192)
    nothing = torch.zeros(1, MELS, 1), torch.zeros(1, STYLE), None
    return cfm.inference(condition, length, *nothing, 25, inference_cfg_rate=0.7)[0].mean(dim=1)


def _listener(folder: Path) -> list[Any]:
    """Write the model that hears recordings; return what it hears of a low and of a high voice."""
    import soxr
    import torch
    from safetensors.torch import save_file
    from speech import recording
    from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertModel

    folder.mkdir(parents=True)
    small = Wav2Vec2BertConfig(
        hidden_size=HEARD,
        intermediate_size=HEARD,
        num_hidden_layers=17,
        num_attention_heads=2,
        feature_projection_input_dim=FEATURES,
    )
    small.save_pretrained(folder)
    prepared = SeamlessM4TFeatureExtractor()
    prepared.save_pretrained(folder)
    model = Wav2Vec2BertModel(small).eval()
    save_file(model.state_dict(), folder / "model.safetensors")
    heard = []
    for voice in ("low", "high"):
        sound = recording(voice)
        samples = torch.from_numpy(soxr.resample(sound.samples, sound.rate, 16_000))
        inputs = prepared(samples[None], sampling_rate=16_000, return_tensors="pt")
        heard.append(model(**inputs).last_hidden_state)
    return heard


def _part(gpt: Any, low: Any, high: Any) -> None:
    """Give a low and a high voice opposite emotions."""
    import torch

    one, other = (gpt.get_emovec(voice, torch.tensor([HEARD])) for voice in (low, high))
    gpt.emo_layer.bias.sub_((one + other)[0] / 2)
    for weights in (gpt.emo_layer.weight, gpt.emo_layer.bias):
        weights.mul_(2 * FELT_SIZE * CHANNELS**0.5 / (one - other).norm())


def _move(gpt: Any) -> None:
    """Have voice and emotion decide which kind of audio tokens is drawn."""
    import torch

    for part in (
        gpt.text_embedding, gpt.mel_embedding, gpt.lang_embedding, gpt.text_pos_embedding.emb,
        gpt.mel_pos_embedding.emb,
    ):  # fmt: skip
        part.weight[:, FELT] = 0.0
    # The second head attends to all positions equally too, and passes these channels on.
    attention, head = gpt.gpt.h[0].attn, CHANNELS // 2
    second = slice(2 * CHANNELS + head, 3 * CHANNELS)
    attention.c_attn.weight[:, head:CHANNELS] = 0.0
    attention.c_attn.weight[:, second] = 0.0
    attention.c_attn.weight[FELT, second].fill_diagonal_(1.0)
    attention.c_attn.bias.zero_()
    attention.c_proj.weight[head:] = 0.0
    attention.c_proj.weight[head:, FELT].fill_diagonal_(MOVED)
    kinds = torch.randn(CLASSES, CHANNELS - FELT.start)
    # Their sum is not seen, as it moves with the count of votes.
    kinds -= kinds.mean(dim=1, keepdim=True)
    gpt.mel_head.weight[:CODES, FELT] = kinds.repeat(CODES // CLASSES, 1)


def _sort(codec: Any) -> None:
    """Have all audio tokens of a kind say nearly the same, and loudly."""
    book = codec.quantizer.quantizers[0].codebook.weight
    book.mul_(0.1).add_(book[:CLASSES].mul(20).repeat(CODES // CLASSES, 1))
    codec.up.weight.mul_(CLEAR)


def _clear(estimator: Any) -> None:
    """Have the spectrum follow the audio tokens, and hardly the noise that it starts from."""
    merge = estimator.cond_x_merge_linear
    merge.weight[:, :MELS] = 0.0
    merge.weight[:, -STYLE:] = 0.0
    estimator.skip_linear.weight[:, CHANNELS:] = 0.0
    estimator.transformer.layers[0].attention.wo.weight.zero_()
    for part in (merge, estimator.conv1, estimator.skip_linear, estimator.res_projection):
        part.bias.zero_()
    for part in (
        estimator.transformer.norm.project_layer,
        estimator.wavenet.res_skip_layers[0].conv.conv,
    ):
        part.weight[-CHANNELS:] = 0.0
        part.bias[-CHANNELS:] = 0.0
    estimator.final_layer.adaLN_modulation[1].weight.zero_()
    estimator.final_layer.adaLN_modulation[1].bias.zero_()
    estimator.conv2.weight.mul_(CLEAR)
    estimator.conv2.bias.zero_()


def _tune(vocoder: Any, spectra: Any) -> None:
    """Have each kind of audio tokens sound at a pitch of its own."""
    import torch

    vocoder.conv_pre.weight.zero_()
    vocoder.conv_pre.bias.zero_()
    vocoder.conv_pre.weight[:CLASSES, :, 3] = torch.linalg.pinv(spectra).T
    (up,) = vocoder.ups[0]
    times = torch.arange(512) / 256 * 2 * torch.pi
    up.weight.zero_()
    for channel, harmonic in enumerate(HARMONICS):
        up.weight[channel, channel] = torch.hann_window(512) * torch.sin(harmonic * times)
    vocoder.conv_post.weight.zero_()
    vocoder.conv_post.weight[:, :, 3] = LOUD


def _write_auxiliary(folder: Path, spectra: Any) -> None:
    """Write what the published folder holds of other authors."""
    import torch
    from indextts25.s2mel.modules.bigvgan.bigvgan import AttrDict, BigVGAN
    from indextts25.s2mel.modules.campplus.DTDNN import CAMPPlus

    vocoder = folder / "bigvgan"
    vocoder.mkdir()
    speakers = CAMPPlus(feat_dim=MELS, embedding_size=STYLE)
    torch.save(speakers.state_dict(), folder / "campplus_cn_common.bin")
    (vocoder / "config.json").write_text(json.dumps(VOCODER))
    generator = BigVGAN(AttrDict(VOCODER))
    _tune(generator, spectra)
    torch.save({"generator": generator.state_dict()}, vocoder / "bigvgan_generator.pt")
