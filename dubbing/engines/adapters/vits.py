"""VITS by coqui-tts: text to sound in one model, many lines at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dubbing.engines.adapters._coqui import vits as network
from dubbing.engines.adapters._coqui.trained import Row, Trained
from dubbing.engines.adapters._shared import ALONE
from dubbing.engines.engine import EngineSpec, Spoken


class Vits(Trained):
    """VITS, as trained by coqui-tts.

    Speed scales the length of each symbol, in whole frames: speech at twice the speed lasts a
    little more than half as long. The same line with the same seed is the same in any batch, within
    1e-4 of full scale.
    """

    spec = EngineSpec(
        name="vits",
        summary="VITS by coqui-tts: clear and fast, in the voices that it was trained with",
        languages=("*",),
        voices=(ALONE,),
        max_characters={"*": 500},
        characters_per_second={"*": 15.0},
        speed=(0.5, 2.0),
        sample_rate=22050,
        batch_lines=32,
        batch_seconds=160.0,
        seconds_per_call=180.0,
        device="cuda",
        licence="the model's own, as its authors state it (of coqui-tts: MPL-2.0)",
    )

    def __init__(self, name: str = "vits", folder: Path = Path()) -> None:
        super().__init__(name, folder)

    def _opened(self, device: str) -> Any:
        return network.load(self.spec.name, self._folder, device)

    def _said(self, rows: Sequence[Row]) -> Sequence[Spoken]:
        return network.speak(self._model, rows)
