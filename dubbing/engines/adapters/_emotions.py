"""The emotion of a request, in the forms of IndexTTS servers."""

from __future__ import annotations

from typing import Any

from dubbing.job.emotion import Emotion

BIAS = {
    "happy": 0.9375,
    "angry": 0.875,
    "sad": 1.0,
    "afraid": 1.0,
    "disgusted": 0.9375,
    "melancholic": 0.9375,
    "surprised": 0.6875,
    "calm": 0.5625,
}
"""Factor of the model's own web page on each feeling, in the order of its vector."""
MOST = 0.8
"""Largest sum of the vector with which the voice still resembles the speaker."""
SAME, VOICE, FEELINGS, TEXT = range(4)
"""The values of ``emo_control_method``."""


def vector_of(emotion: Emotion) -> list[float]:
    """Return feelings as the model's vector.

    Servers do not normalise the vector, and a sum above 1 would replace the speaker's own voice.
    Not all servers support a separate strength, so the vector is multiplied by the strength.
    """
    biased = [emotion.feelings[name] * bias for name, bias in BIAS.items()]
    scale = emotion.strength * min(1.0, MOST / sum(biased))
    return [round(share * scale, 4) for share in biased]


def omni_fields(emotion: Emotion | None, shown: str) -> dict[str, Any]:
    """Return an emotion as extra parameters of vLLM-Omni.

    shown: for an emotion by a voice, the recording as a data URI; else ``""``.
    """
    if emotion is None:
        return {}
    if emotion.means == "feelings":
        return {"emo_vector": vector_of(emotion)}
    if shown:
        return {"emo_audio": shown, "emo_alpha": emotion.strength}
    return {"use_emo_text": True, "emo_text": emotion.text, "emo_alpha": emotion.strength}


def tts_url_fields(emotion: Emotion | None, shown: str) -> dict[str, Any]:
    """Return an emotion as fields of index-tts-vllm, which supports a strength only for a voice.

    shown: for an emotion by a voice, the server's path of the recording; else ``""``.
    """
    if emotion is None:
        return {"emo_control_method": SAME}
    if emotion.means == "feelings":
        return {"emo_control_method": FEELINGS, "emo_vec": vector_of(emotion)}
    if shown:
        weight = {"emo_ref_path": shown, "emo_weight": emotion.strength}
        return {"emo_control_method": VOICE, **weight}
    return {"emo_control_method": TEXT, "emo_text": emotion.text}
