"""A language model of random weights that speaks about one audio token per text token.

Random weights alone would never stop. In this model each text token votes for going on, and each
audio token for an end; the first layer counts the votes. The rest is random.
"""

from __future__ import annotations

from typing import Any

VOTE, END = 0, 1
"""The channels in which votes are given, and counted."""
WEIGHT = 3.0
"""Weight of a vote, relative to the size of all other channels of a token."""
COUNTED, SHARP = 6.0, 200.0


def settle(gpt: Any, stop: int, *, endless: bool) -> None:
    """Have votes given and counted, and let them decide the end.

    gpt: a UnifiedVoice of XTTS or IndexTTS. stop: the audio token that ends speech.
    """
    both = [VOTE, END]
    for part in (gpt.text_embedding, gpt.mel_embedding):
        part.weight[:, END] = 0.0
    for places in (gpt.text_pos_embedding.emb, gpt.mel_pos_embedding.emb):
        places.weight[:, both] = 0.0
    weight = WEIGHT * gpt.model_dim**0.5
    gpt.text_embedding.weight[:, VOTE] = weight
    gpt.mel_embedding.weight[:, VOTE] = weight if endless else -weight
    for layer in gpt.gpt.h:
        for last in (layer.attn.c_proj, layer.mlp.c_proj):
            last.weight[:, both] = 0.0
            last.bias[both] = 0.0
    # The first head attends to all positions equally, and returns the mean vote.
    attention = gpt.gpt.h[0].attn
    head = gpt.model_dim // gpt.heads
    attention.c_attn.weight[:, :head] = 0.0
    attention.c_attn.bias[:head] = 0.0
    attention.c_attn.weight[:, 2 * gpt.model_dim] = 0.0
    attention.c_attn.weight[VOTE, 2 * gpt.model_dim] = 1.0
    attention.c_proj.weight[0] = 0.0
    attention.c_proj.weight[0, END] = COUNTED
    gpt.mel_head.weight[:, END] = 0.0
    gpt.mel_head.weight[stop] = 0.0
    gpt.mel_head.weight[stop, END] = -SHARP
