"""The track of a job with ``background.mode: separate``: its film's sound without speech.

The track is made once for a film, a sound track and a model, and stored. Other rounds, and jobs
that dub the film into other languages, read it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from dubbing.assembly.demucs import Separator
from dubbing.assembly.mix import BLOCK
from dubbing.assembly.programme import Programme, Source, fetch_source
from dubbing.assembly.separation import without_voices
from dubbing.errors import BadInput, MediaError, NotFound
from dubbing.media.disk import check_space
from dubbing.media.probe import RATE, decode, probe
from dubbing.media.samples import Samples
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

RECIPE = 1
"""To be raised when the same model makes another track of the same film than before."""
SAMPLE_BYTES = 3
"""Bytes per sample of the track before compression."""
BLOCK_SECONDS = 0.1
"""Most seconds of a block of FLAC; a file that lacks more is truncated."""

log = logging.getLogger(__name__)


def separated(
    programme: Programme,
    storage: Storage,
    folder: Path,
    separator: Separator,
    check: Callable[[], None],
) -> Programme:
    """Return a programme whose track is its film's sound without speech, each sample in its place.

    A film without sound gets no track. folder: receives the track. check: called every few seconds
    of the film; raises to stop the work, and then nothing is kept.

    Raises EngineMissing when this machine cannot separate, EngineFailed when the model fails,
    MediaError when the film cannot be decoded or the disk is too small, StorageUnavailable.
    """
    film, media, channels = programme.film, programme.job.media, programme.channels
    if not (film and media and film.info.channels):
        return programme
    identity = (_content(media, film), film.info.track, channels, separator.digest, RECIPE)
    key = Keys.background(hashlib.sha256(json.dumps(identity).encode()).hexdigest())
    path = folder / "background.flac"
    if storage.exists(key):
        # Retention keeps recently used tracks.
        storage.touch(key)
        try:
            return replace(programme, track=_stored(storage, key, path))
        except (BadInput, NotFound) as exc:
            log.warning("%s is made again: %s", key, exc)
    check_space({folder: round(film.info.seconds * RATE) * channels * SAMPLE_BYTES})
    own = decode(film.path, channels, track=film.wanted, frames=BLOCK)
    with separator.loaded() as model:
        _write(path, without_voices(own, model, channels=channels, check=check), channels)
    storage.upload(key, path)
    return replace(programme, track=Source(path=path, info=probe(path)))


def _stored(storage: Storage, key: str, path: Path) -> Source | None:
    """Return a stored track; raises BadInput for a damaged one."""
    track = fetch_source(storage, key, path)
    if track and soundfile.info(track.path).frames > (track.info.seconds + BLOCK_SECONDS) * RATE:
        raise BadInput("it is cut short", where=key)
    return track


def _content(media: str, film: Source) -> str:
    """Return an identity of the film's content; the key of an upload holds its digest."""
    if not media.startswith("s3://"):
        return media
    with film.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, sound: Iterable[Samples], channels: int) -> None:
    try:
        with soundfile.SoundFile(path, "w", RATE, channels, "PCM_24", format="FLAC") as file:
            for block in sound:
                file.write(np.clip(block, -1, 1))
    except soundfile.SoundFileError as exc:
        raise MediaError(f"{path.name} cannot be written: {exc}") from exc
