"""FastSpeech2 by coqui-tts, with a vocoder: many lines at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dubbing.engines.adapters._coqui import forward_tts, vocoder
from dubbing.engines.adapters._coqui.trained import Row, Trained
from dubbing.engines.adapters._shared import ALONE, answered
from dubbing.engines.engine import EngineSpec, Spoken
from dubbing.errors import DubbingError
from dubbing.media.samples import Audio


class FastSpeech2(Trained):
    """FastSpeech2, FastPitch or FastSpeech, as trained by coqui-tts.

    The same folder may contain a HiFiGAN of coqui-tts, as ``vocoder.pth`` and
    ``vocoder_config.json``. Without one, Griffin-Lim makes the sound, which is slow and sounds
    hollow. Speed scales the length of each symbol, in whole frames. A HiFiGAN draws no noise, so a
    line sounds the same in any batch, within 1e-4 of full scale.
    """

    spec = EngineSpec(
        name="fastspeech2",
        summary="FastSpeech2 by coqui-tts: fast and even, in the voices that it was trained with",
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

    def __init__(self, name: str = "fastspeech2", folder: Path = Path()) -> None:
        self._vocoder: vocoder.Vocoder | None = None
        super().__init__(name, folder)

    def _told(self, config: dict[str, Any]) -> dict[str, Any]:
        rate = vocoder.vocoder_rate(self._folder)
        return super()._told(config) | ({"sample_rate": rate} if rate else {})

    def _opened(self, device: str) -> Any:
        acoustic = forward_tts.load(self.spec.name, self._folder, device)
        self._vocoder = vocoder.load(self.spec.name, self._folder, acoustic, device)
        return acoustic

    def _files(self) -> list[Path]:
        return [*super()._files(), *vocoder.files(self._folder)]

    def unload(self) -> None:
        """Free the model and its vocoder."""
        self._vocoder = None
        super().unload()

    def _said(self, rows: Sequence[Row]) -> Sequence[Spoken]:
        spectrograms = forward_tts.speak(self._model, rows)
        asked = [
            spectrogram if isinstance(spectrogram, DubbingError) else (spectrogram, row.seed)
            for spectrogram, row in zip(spectrograms, rows, strict=True)
        ]
        return answered(asked, self._sounds)

    def _sounds(self, rows: Sequence[tuple[vocoder.Spectrogram, int]]) -> list[Audio]:
        """Return the sound of each row, a spectrogram and its seed."""
        assert self._vocoder is not None  # noqa: S101 - loaded with the model
        spectrograms, seeds = zip(*rows, strict=True)
        sounds = self._vocoder.sounds(spectrograms, seeds)
        return [Audio(samples=samples, rate=self.spec.sample_rate) for samples in sounds]
