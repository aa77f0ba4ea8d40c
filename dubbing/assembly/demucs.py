"""Demucs, a model that finds the voices in a sound, and its files.

Its checkpoint is read only as weights, from the model's own folder; nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dubbing.engines.models.folders import NOWHERE, Weights, digest_files
from dubbing.engines.threads import threads
from dubbing.errors import EngineFailed, EngineMissing

if TYPE_CHECKING:
    from dubbing.media.samples import Samples

NAME = "demucs"
"""Name of the model, and of its folder."""
EXTRA = "separation"
LICENCE = "MIT; a part of the music that it was trained on, MUSDB18-HQ, is for research alone"
WEIGHTS = Weights(
    files=("*.safetensors",),
    home="https://huggingface.co/adefossez/HTDemucs",
    repository="adefossez/HTDemucs",
)
"""Any Hybrid Transformer Demucs with a source `VOICES` works, in its author's format."""
VOICES = "vocals"
"""Name of the source with all speech and singing."""
STEREO = 2


@dataclass(frozen=True)
class Separator:
    """Demucs on this machine, installed or not. Its model is in memory only while it is used.

    folder: folder of its model. device: its device; by default a card, if there is one.
    """

    folder: Path
    device: str | None = None

    def missing(self) -> str:
        """Return the remedy for a missing part; ``""`` if nothing is missing."""
        if find_spec("demucs_infer") is None:
            return f"pip install 'dubbing[{EXTRA}]'"
        found = self._found()
        if not found:
            return f"run `dubbing models fetch {NAME}`"
        return f"keep one of the {len(found)} models in {self.folder}" if len(found) > 1 else ""

    @property
    def digest(self) -> str:
        """A hex digest of its model; raises EngineMissing."""
        return digest_files([self._path()])

    @contextmanager
    def loaded(self) -> Iterator[VoiceModel]:
        """Load the model for the block; raises EngineMissing, and EngineFailed if it is damaged."""
        model = VoiceModel(self._path(), self.device or _best_device())
        try:
            yield model
        finally:
            model.unload()

    def _path(self) -> Path:
        if lacking := self.missing():
            raise EngineMissing(
                f"this worker cannot take the speech out of a film: {lacking}, and retry the job"
            )
        return self._found()[0]

    def _found(self) -> list[Path]:
        return [path for paths in WEIGHTS.found(self.folder).values() for path in paths]


NONE = Separator(NOWHERE)
"""The separator of a machine without Demucs."""


class VoiceModel:
    """A loaded model, which finds the voices in up to ``window`` frames of stereo at a time."""

    def __init__(self, path: Path, device: str) -> None:
        """Load the file of a model; raises EngineFailed for any other file."""
        import torch
        from demucs_infer.safetensors import load_safetensors_model

        torch.set_num_threads(threads())
        try:
            model = load_safetensors_model(path)
            self._voices = model.sources.index(VOICES)
            if model.audio_channels != STEREO:
                raise ValueError(f"it is made for {model.audio_channels} channels, not for stereo")
            self._device = torch.device(device)
            self._model: Any = model.to(self._device).eval()
        except Exception as exc:
            # The errors of a damaged model have no common class.
            raise EngineFailed(f"{path} cannot be loaded: {_first_line(exc)}") from exc
        self.rate = int(model.samplerate)
        """Hz of its input and output."""
        self.window = int(model.segment * self.rate)
        """Frames of its input, as in its training."""

    def voices(self, sound: Samples) -> Samples:
        """Return the voices in ``(frames, 2)`` at its rate, frame by frame; raises EngineFailed."""
        import torch

        try:
            with torch.inference_mode():
                heard = self._model(torch.from_numpy(sound.T.copy())[None].to(self._device))
            voices: Samples = heard[0, self._voices].T.contiguous().cpu().numpy()
        except RuntimeError as exc:
            raise EngineFailed(f"{NAME} could not hear the film: {_first_line(exc)}") from exc
        return voices

    def unload(self) -> None:
        """Free its memory, also on the card, which engines may use."""
        import torch

        self._model = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _first_line(exc: Exception) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]
