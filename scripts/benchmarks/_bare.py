"""The unavoidable work: lines spoken, encoded and stored by parallel processes."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier

from benchmarks._script import LANGUAGE
from benchmarks._system import PATIENCE
from dubbing.engines.engine import Engine, Line
from dubbing.media.samples import Audio, encode_flac
from dubbing.script.manifest import Manifest
from dubbing.storage import Storage
from dubbing.system import System

_process: list[tuple[Engine, Storage]] = []
"""The engine and storage of a process of the pool."""


def bare_processes(engine: str, count: int, storage: str) -> Pool:
    """Start processes, and wait until each has loaded its engine and spoken a line."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(count + 1)
    pool = context.Pool(count, _load, (engine, storage, ready))
    ready.wait(PATIENCE)
    return pool


def bare_seconds(pool: Pool, job: Manifest, engine: str, chunk: int) -> float:
    """Return how long the processes take for a job's lines, each clip under its own key."""
    stock = System().catalogue.create(engine).spec.voices
    voices = dict(zip(job.speakers, stock, strict=False))
    lines = sorted((voices[segment.speaker], segment.text) for segment in job.segments)
    keys = [f"bare/{job.id}/{n}.flac" for n in range(len(lines))]
    asked = [(key, voice, text) for key, (voice, text) in zip(keys, lines, strict=True)]
    started = time.perf_counter()
    pool.starmap(_speak, asked, chunksize=chunk)
    return time.perf_counter() - started


def _load(name: str, storage: str, ready: Barrier) -> None:
    """Load the engine in a new process, and speak one line."""
    engine = System().catalogue.create(name)
    engine.load("cpu")
    engine.synthesize([Line(text="Ready.", language=LANGUAGE, voice=engine.spec.voices[0])])
    _process.append((engine, Storage.at(storage)))
    ready.wait(PATIENCE)


def _speak(key: str, voice: str, text: str) -> None:
    """Speak, encode and store one line."""
    engine, storage = _process[0]
    spoken = engine.synthesize([Line(text=text, language=LANGUAGE, voice=voice)])[0]
    if isinstance(spoken, Audio):
        storage.create(key, encode_flac(spoken))
