"""A humming engine with a model, for tests; it is found when this folder is on the path.

The content of ``model.bin`` decides how loading goes: ``die`` kills the process, ``odd`` raises an
error that no engine should raise, ``loud`` writes to standard output; anything else loads.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.engine import described
from dubbing.engines.models.folders import Weights, digest_files, read_config, require_files

FILES = {"config.json": b'{"language": "en"}', "model.bin": b"good" * 1000}


class Singer(Tone):
    weights = Weights(
        files=("config.json", "model.bin"),
        home="https://example.org/singer",
        repository="authors/singer",
        fetched=("weights/*",),
    )
    spec = Tone.spec.model_copy(
        update={"name": "singer", "licence": "CC-BY-NC-4.0 (non-commercial)"}
    )

    def __init__(self, name: str = "singer", folder: Path = Path()) -> None:
        self._folder = folder
        if (folder / "config.json").exists():
            read_config(folder, "config.json")
        self.spec = described(type(self).spec, name, folder)

    def load(self, device: str) -> None:
        require_files(self.weights, self._folder, self.spec.name)
        what = (self._folder / "model.bin").read_text()
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "odd":
            raise ZeroDivisionError("no engine should raise this")
        if what == "loud":
            sys.stdout.write("loading ...")
        self.model = digest_files(self._folder / name for name in self.weights.files)
