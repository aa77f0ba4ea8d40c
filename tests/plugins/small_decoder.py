"""A small decoder and speaker encoder for XTTS, whose sizes no configuration sets.

SMALL_DECODER makes them small in every process that has this folder on its path.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any

VARIABLE = "SMALL_DECODER"


def install() -> None:
    """Make them small whenever this process builds an XTTS model."""
    from dubbing.engines.adapters._xtts import model as network

    real = network.build

    def build(config: dict[str, Any]) -> Any:
        shrink()
        return real(config)

    network.build = build


def shrink() -> None:
    """Make them small in this process and in the processes that it starts."""
    from dubbing.engines.adapters._torch import prepare

    prepare()
    from TTS.encoder.models.resnet import ResNetSpeakerEncoder
    from TTS.tts.layers.xtts.hifigan_decoder import HifiDecoder

    os.environ[VARIABLE] = "1"
    _default(
        HifiDecoder.__init__,
        resblock_type_decoder="2",
        resblock_dilation_sizes_decoder=[[1, 3]],
        resblock_kernel_sizes_decoder=[3],
        upsample_rates_decoder=[16, 16],
        upsample_kernel_sizes_decoder=[32, 32],
        upsample_initial_channel_decoder=16,
    )
    _default(ResNetSpeakerEncoder.__init__, layers=[1, 1, 1, 1], num_filters=[8, 8, 8, 8])


def _default(function: Callable[..., Any], **values: Any) -> None:
    parameters = inspect.signature(function).parameters.values()
    function.__defaults__ = tuple(  # type: ignore[attr-defined]
        values.get(each.name, each.default) for each in parameters if each.default is not each.empty
    )
