"""Trials: inputs are read in a forked process, within limits of time and memory.

A reader that exceeds a limit ends its process, which writes the stack first; another process reads
the remaining inputs.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import re
import resource
import select
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import bidirectional, category

from fuzzing.targets import Scene, Target

from dubbing.errors import DubbingError

ROOT = Path(__file__).resolve().parents[2]
SECONDS = (3.5, 5.0)
"""Most seconds of CPU time for an empty input, and for one of `WHOLE` bytes. In between, the limit
grows with the size, so that quadratic time shows in smaller inputs, too. The Chinese and Japanese
parsers take about 3 s for the longest text that is read."""
WHOLE = 1_000_000
MEGABYTES = 300.0
LOADED_MEGABYTES = 130.0
"""Memory of a process that has only loaded the readers. It stands in for the memory that a fork
inherits, which includes the parent's inputs."""
ENOUGH_BYTES = 2_000_000_000
"""Address space that a process may add to that of its parent."""
LONGEST_MESSAGE, MOST_LINES = 6000, 20
UNSHOWN = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories of controls, lone surrogates, and separators of lines and paragraphs."""
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Unicode's bidirectional classes that change the direction of the following text."""
PATIENCE = 120.0
"""Most seconds of wall time for one input, for readers that hang without using CPU time."""
FRAME = re.compile(r'File "([^"]+)", line (\d+)(?:,)? in (\S+)')


@dataclass(frozen=True)
class Find:
    """A fault of a reader, found with an input."""

    kind: str
    """crash, slow, large, message or place."""
    what: str
    """Identifies the fault, whatever the input: for a crash, the exception and its place in the
    code."""
    detail: str
    """The traceback or the message, for people."""


@dataclass(frozen=True)
class Verdict:
    """The result of reading an input."""

    find: Find | None
    seconds: float
    megabytes: float


def tried(target: Target, inputs: Sequence[bytes]) -> list[Verdict]:
    """Return the verdict on each input, in order."""
    verdicts: list[Verdict] = []
    while len(verdicts) < len(inputs):
        verdicts += _in_a_process(target, inputs[len(verdicts) :])
    return verdicts


def confirmed(target: Target, data: bytes) -> Verdict:
    """Return the verdict on one input: the better of two tries for a slow or large one."""
    first = tried(target, [data])[0]
    if first.find is None or first.find.kind not in {"slow", "large"}:
        return first
    return min(first, tried(target, [data])[0], key=lambda verdict: verdict.find is not None)


def allowed(size: int) -> float:
    """Return the CPU time that an input of ``size`` bytes may take, in seconds."""
    least, most = SECONDS
    return least + (most - least) * min(1.0, size / WHOLE)


def _in_a_process(target: Target, inputs: Sequence[bytes]) -> list[Verdict]:
    """Return the verdicts on the first inputs: all, or up to the one that ends the process."""
    with tempfile.TemporaryDirectory(prefix="dubbing-fuzz-") as folder:
        stacks = Path(folder) / "stacks"
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with contextlib.suppress(BaseException):
                _run(target, inputs, Path(folder) / "scene", stacks, writing)
            os._exit(0)
        os.close(writing)
        verdicts = list(_verdicts(reading, child))
        os.close(reading)
        _, status, used = os.wait4(child, 0)
        if len(verdicts) < len(inputs) and not (verdicts and os.WIFEXITED(status)):
            verdicts.append(_ended(stacks, used))
    return verdicts


def _verdicts(reading: int, child: int) -> Iterator[Verdict]:
    """Yield the verdicts that a process writes; kill the process if the next one takes too long."""
    rest = b""
    while True:
        ready, _, _ = select.select([reading], [], [], PATIENCE)
        if not ready:
            os.kill(child, signal.SIGKILL)
            return
        data = os.read(reading, 1 << 16)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            find, seconds, megabytes = json.loads(line)
            yield Verdict(find and Find(*find), seconds, megabytes)


def _ended(stacks: Path, used: resource.struct_rusage) -> Verdict:
    """Return the verdict on an input that ended its process."""
    text = stacks.read_text(errors="replace") if stacks.exists() else ""
    # The innermost frame stands first.
    what = _place(list(FRAME.findall(text))) or "somewhere"
    seconds = used.ru_utime + used.ru_stime
    return Verdict(Find("slow", what, text[-3000:]), seconds, used.ru_maxrss / 1024)


def _run(target: Target, inputs: Sequence[bytes], folder: Path, stacks: Path, writing: int) -> None:
    """Read the inputs; write one line for each."""
    folder.mkdir()
    scene = Scene(folder)
    log = stacks.open("w")
    faulthandler.register(signal.SIGPROF, log, all_threads=False)
    # Discards the libraries' warnings about the inputs.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    space = _status("VmSize") * 1_000_000 + ENOUGH_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (int(space), resource.RLIM_INFINITY))
    for data in inputs:
        verdict = _read(target, scene, data)
        find = verdict.find and (verdict.find.kind, verdict.find.what, verdict.find.detail)
        line = json.dumps([find, verdict.seconds, verdict.megabytes])
        os.write(writing, line.encode() + b"\n")
        shutil.rmtree(folder / "storage", ignore_errors=True)
        (folder / "storage").mkdir()


def _read(target: Target, scene: Scene, data: bytes) -> Verdict:
    limit = allowed(len(data))
    started = time.process_time()
    hard = int(started + 2 * limit) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (hard, resource.RLIM_INFINITY))
    Path("/proc/self/clear_refs").write_text("5")
    inherited = _status("VmRSS")
    signal.setitimer(signal.ITIMER_PROF, limit)
    find = _judged(target, scene, data)
    signal.setitimer(signal.ITIMER_PROF, 0)
    seconds = time.process_time() - started
    megabytes = LOADED_MEGABYTES + _status("VmHWM") - inherited
    if find is None and seconds > limit:
        find = Find("slow", "it ended", f"{seconds:.1f} s, more than {limit:.1f}")
    if find is None and megabytes > MEGABYTES:
        find = Find("large", "it ended", f"{megabytes:.0f} MB")
    return Verdict(find, seconds, megabytes)


def _judged(target: Target, scene: Scene, data: bytes) -> Find | None:
    try:
        messages = list(target.read(scene, data))
    except target.handled:
        return None
    except DubbingError as exc:
        message = str(exc)
        places = [*target.place, str(scene.folder)]
        if target.place and not any(place in message for place in places):
            return Find("place", type(exc).__name__, message[:1000])
        return _message(message)
    except Exception as exc:  # noqa: BLE001 - whatever comes is the find
        frames = [
            (frame.filename, str(frame.lineno), frame.name)
            for frame in reversed(traceback.extract_tb(exc.__traceback__))
        ]
        what = f"{type(exc).__name__} {_place(frames)}"
        return Find("crash", what, "".join(traceback.format_exception(exc))[-3000:])
    return next(filter(None, map(_message, messages)), None)


def _message(message: str) -> Find | None:
    """Return the fault of a message, or None."""
    if len(message) > LONGEST_MESSAGE or message.count("\n") >= MOST_LINES:
        detail = f"{len(message)} characters: {message[:300]}"
        return Find("message", f"long {message[:20]}", detail)
    if any(map(_obeyed, message.replace("\n", ""))):
        return Find("message", f"raw {message[:20]}", ascii(message)[:1000])
    return None


def _obeyed(character: str) -> bool:
    """Whether a terminal would interpret a character, or no encoding can write it."""
    return category(character) in UNSHOWN or bidirectional(character) in TURNING


def _place(frames: Sequence[tuple[str, str, str]]) -> str:
    """Return the innermost frame in our own code. frames: the innermost first."""
    for file, line, name in frames:
        if file.startswith(str(ROOT / "dubbing")):
            return f"{Path(file).relative_to(ROOT)}:{line} {name}"
    return frames[0][2] if frames else ""


def _status(name: str) -> float:
    """Return a field of /proc/self/status, in MiB."""
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0
