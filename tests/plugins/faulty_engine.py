"""An engine that fails as the text tells it to; it is found when this folder is on the path.

=============  ===================================================================
``<nan>``      sound with NaN in it
``<silence>``  digital silence
``<nothing>``  no samples
``<long>``     ten times its length, plus three seconds
``<flaky>``    silence at seed 0, good at another; ``<flaky:7>`` silence at seed 7
``<raise>``    the whole call raises
``<oom>``      a call of more than one line raises MemoryError; ``<oom:0>`` any call
``<hang>``     sleeps until it is killed
``<kill>``     kills its process with SIGKILL
``<slow:0.5>`` takes half a second, and ``<slow>`` 300 ms, or what FAULTY_SLOW says
``<broken>``   silence while the file that FAULTY_SWITCH names exists
``<away>``     the whole call raises EngineAway while that file exists; in the same
               way ``<stopped>``, ``<storage>``, ``<queue>`` and ``<failed>``
``<says>``     the line's own result is EngineAway while that file exists
=============  ===================================================================

The tone engine hums everything else. Each line that is begun is appended to the file named by
FAULTY_LOG: process id, tab, text; and to the one named by FAULTY_TIMES: seconds since 1970, tab,
text. The seconds of each call are appended to the file named by FAULTY_BUSY. FAULTY_SECONDS is how
long a call may take, FAULTY_LINES how many lines it may have.

Loading fails in the same way: each load takes a line from the file named by FAULTY_LOADS, and does
what its words say: ``<slow:2>``, ``<raise>``, ``<hang>``, ``<kill>``. Without a line it loads at
once. FAULTY_LOAD_SECONDS is how long loading may take. Each extraction takes a line from the file
named by FAULTY_EXTRACTIONS, and raises the error that its word names: ``<failed>``, ``<away>``, …
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.engine import Line, Spoken, VoiceForm
from dubbing.errors import (
    EngineAway,
    EngineFailed,
    QueueUnavailable,
    Stopped,
    StorageUnavailable,
)
from dubbing.media.samples import Audio

WORD = re.compile(r"<(\w+)(?::([\d.]+))?>")
ERRORS = {
    "away": EngineAway,
    "stopped": Stopped,
    "storage": StorageUnavailable,
    "queue": QueueUnavailable,
    "failed": EngineFailed,
}


class Faulty(Tone):
    spec = Tone.spec.model_copy(
        update={
            "name": "faulty",
            "summary": "Fails as the text tells it to",
            "batch_lines": int(os.environ.get("FAULTY_LINES", "4")),
            "seconds_per_call": float(os.environ.get("FAULTY_SECONDS", "60")),
            "seconds_to_load": float(os.environ.get("FAULTY_LOAD_SECONDS", "600")),
        }
    )

    def load(self, device: str) -> None:
        for word, value in WORD.findall(_next_of("FAULTY_LOADS")):
            match word:
                case "slow":
                    time.sleep(float(value))
                case "raise":
                    raise EngineFailed("the model is damaged")
                case "hang":
                    _hang()
                case "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
        super().load(device)

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        for word, _ in WORD.findall(_next_of("FAULTY_EXTRACTIONS")):
            raise ERRORS[word]("the engine has a bad day")
        return super().extract(reference, transcript)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        for word, value in WORD.findall(" ".join(line.text for line in lines)):
            if word == "oom" and len(lines) > int(value or 1):
                raise MemoryError("CUDA out of memory")
        began = time.perf_counter()
        spoken = [self._act(line) for line in lines]
        _append("FAULTY_BUSY", f"{time.perf_counter() - began}")
        return spoken

    def _act(self, line: Line) -> Spoken:
        _append("FAULTY_LOG", f"{os.getpid()}\t{line.text}")
        _append("FAULTY_TIMES", f"{time.time()}\t{line.text}")
        spoken = super().synthesize([line])[0]
        for word, value in WORD.findall(line.text):
            if word in ERRORS and _switched():
                raise ERRORS[word]("the engine has a bad day")
            if word == "says" and _switched():
                return EngineAway("the engine is elsewhere")
            if isinstance(spoken, Audio):
                spoken = _fault(word, value, line, spoken)
        return spoken


def _fault(word: str, value: str, line: Line, audio: Audio) -> Audio:
    samples = audio.samples
    match word:
        case "nan":
            samples = np.where(np.arange(len(samples)) % 100, samples, np.float32(np.nan))
        case "silence":
            samples = np.zeros_like(samples)
        case "nothing":
            samples = samples[:0]
        case "long":
            samples = np.resize(samples, 10 * len(samples) + 3 * audio.rate)
        case "flaky" if line.seed == int(value or 0):
            samples = np.zeros_like(samples)
        case "raise":
            raise RuntimeError("the text told me to")
        case "hang":
            _hang()
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "slow":
            time.sleep(float(value or os.environ.get("FAULTY_SLOW", "0.3")))
        case "broken" if _switched():
            samples = np.zeros_like(samples)
    return replace(audio, samples=samples)


def _hang() -> NoReturn:
    while True:
        time.sleep(60)


def _switched() -> bool:
    return Path(os.environ["FAULTY_SWITCH"]).exists()


def _next_of(variable: str) -> str:
    """Take the first line of the file that says what is to fail."""
    path = os.environ.get(variable)
    if not path:
        return ""
    with Path(path).open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        first, _, rest = file.read().partition("\n")
        file.seek(0)
        file.truncate()
        file.write(rest)
    return first


def _append(variable: str, row: str) -> None:
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as log:
            log.write(f"{row}\n")
