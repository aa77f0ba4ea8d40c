"""The two passes over a programme, with memory flat in its length.

The first pass writes speech and background into temporary files, and measures both. The gains
follow from these measurements. The second pass mixes both at these gains, and encodes the mix.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dubbing.assembly.attenuation import Decibels
from dubbing.assembly.balance import Balance, balance
from dubbing.assembly.mastering import Levels, limit
from dubbing.assembly.mix import BLOCK, Mixer, mix, read_ahead, spread
from dubbing.assembly.programme import Programme
from dubbing.assembly.report import Loudness
from dubbing.assembly.spoken import SpokenLine, speaking, speech_loudness
from dubbing.assembly.studio import Studio
from dubbing.errors import BadInput, Damaged, NotFound
from dubbing.media.covers import write_cover
from dubbing.media.encode import Encoder
from dubbing.media.loudness import ABSOLUTE_GATE
from dubbing.media.meter import Measured
from dubbing.media.probe import RATE
from dubbing.media.recorder import Recorder
from dubbing.media.samples import Samples
from dubbing.proof.speaker import Heard, Match, SpeakerListener, compare, embed
from dubbing.script.subtitles import write_srt
from dubbing.storage import Storage
from dubbing.voices.speaker_encoder import Embeddings
from dubbing.voices.store import load_reference

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Dubbed:
    """The result of the two passes."""

    files: Mapping[str, Path]
    """By the names of the outputs."""
    loudness: Loudness
    lines: dict[str, float | None]
    """LUFS of each line as mastered, by segment id."""
    matches: Mapping[str, Match]
    """The match of each line with its voice, by segment id, without lines that cannot be judged."""


@dataclass(frozen=True, kw_only=True)
class _Recorded:
    """The result of the first pass."""

    speech: Recorder
    background: Recorder
    levels: Levels
    """Of the speech."""
    lines: Mapping[str, SpokenLine]
    """The lines of the speech, by segment id."""
    ears: SpeakerListener
    """The lines as spoken, for their comparison with the voices."""


def dub(programme: Programme, storage: Storage, folder: Path, check: Callable[[], None]) -> Dubbed:
    """Record speech and background into temporary files, then mix them into the outputs."""
    recorded = _record(programme, storage, folder, check)
    balanced = _balanced(programme, recorded)
    subtitles = folder / "dub.srt"
    write_srt(programme.script, subtitles)
    # A cue that outlasts the film would make it longer.
    shown = folder / "shown.srt"
    write_srt(programme.script, shown, until=programme.frames / RATE)
    files = tuple(folder / f"dub.{container}" for container in programme.containers)
    with ThreadPoolExecutor(1, "proof") as pool, _encoder(programme, files, shown) as encoder:
        # Beside the encoders, which rarely use all cores.
        matches = pool.submit(_matches, programme, storage, recorded.ears, check)
        mixed = _mixed(programme, recorded, balanced)
        for block in limit(mixed, programme.profile.ceiling):
            check()
            encoder.write(block)
    studio = Studio(
        programme=programme,
        storage=storage,
        balance=balanced,
        background=recorded.background,
        folder=folder,
        check=check,
    )
    names = [*(path.name for path in (*files, subtitles)), *studio.write()]
    return Dubbed(
        files={name: folder / name for name in names},
        loudness=_loudness(programme, recorded.lines.values(), balanced, encoder.loudness),
        lines={
            id_: None if line.loudness is None else line.loudness + balanced.speech
            for id_, line in recorded.lines.items()
        },
        matches=matches.result(),
    )


def _record(
    programme: Programme, storage: Storage, folder: Path, check: Callable[[], None]
) -> _Recorded:
    """Write the speech and the background into temporary files, and measure both."""
    ears = SpeakerListener(folder / "heard.f32")
    mixer = Mixer(storage, programme.clips(), frames=programme.frames, listen=ears.hear)
    levels = Levels()
    with (
        Recorder(folder / "speech.f32", channels=1) as speech,
        Recorder(folder / "background.f32", channels=programme.channels) as background,
        closing(read_ahead(_written(background, programme.background()))) as beds,
    ):
        for block in mixer.blocks():
            check()
            levels.observe(block)
            speech.write(block)
            next(beds, None)
    lines = _lines(programme, mixer.loudness)
    return _Recorded(speech=speech, background=background, levels=levels, lines=lines, ears=ears)


def _balanced(programme: Programme, recorded: _Recorded) -> Balance:
    return balance(
        recorded.speech.powers * np.float32(10 ** (spread(programme.channels) / 10)),
        recorded.background.powers,
        recorded.lines.values(),
        programme.frames,
        profile=programme.profile,
        settings=programme.job.background,
        levels=recorded.levels,
        unchanged=programme.unchanged,
    )


def _mixed(programme: Programme, recorded: _Recorded, balanced: Balance) -> Iterator[Samples]:
    return mix(
        recorded.speech.read(BLOCK),
        recorded.background.read(BLOCK),
        balanced,
        channels=programme.channels,
        unchanged=programme.unchanged,
    )


def _written(recorder: Recorder, blocks: Iterator[Samples]) -> Iterator[Samples]:
    """Yield blocks after writing each into the recorder."""
    for block in blocks:
        recorder.write(block)
        yield block


def _lines(programme: Programme, loudness: Mapping[str, float | None]) -> dict[str, SpokenLine]:
    """Return the lines of the speech by segment id, as loud as they sound from all channels.

    loudness: LUFS of each line as laid, in one channel.
    """
    louder = spread(programme.channels)
    return {
        id_: SpokenLine(
            start=programme.placements[id_].start,
            end=programme.placements[id_].end,
            loudness=None if lufs is None else lufs + louder,
        )
        for id_, lufs in loudness.items()
    }


def _loudness(
    programme: Programme, lines: Collection[SpokenLine], balanced: Balance, measured: Measured
) -> Loudness:
    """Return the loudness of the finished programme beside its profile."""
    profile = programme.profile
    spoken = speaking(lines, programme.frames)
    low, high = profile.bounds(float(spoken.mean()))
    held = not lines or low <= measured.integrated <= high
    return Loudness(
        profile=programme.job.output.loudness,
        target=profile.loudness,
        ceiling=profile.ceiling,
        gain=balanced.background,
        integrated=None if measured.integrated <= ABSOLUTE_GATE else measured.integrated,
        true_peak=None if math.isinf(measured.true_peak) else measured.true_peak,
        tolerance=profile.tolerance,
        speech=speech_loudness(measured.blocks, spoken) if lines else None,
        distance=_finite(np.min, balanced.distances),
        distance_median=_finite(np.median, balanced.distances),
        won="both" if held else "speech",
    )


def _finite(figure: Callable[[Decibels], float], distances: Decibels) -> float | None:
    """Return a figure of distances; None without distances, or over silence."""
    value = float(figure(distances)) if distances.size else math.inf
    return value if math.isfinite(value) else None


def _matches(
    programme: Programme, storage: Storage, ears: SpeakerListener, check: Callable[[], None]
) -> dict[str, Match]:
    """Return the match of each comparable line with its voice, by segment id."""
    heard, cloned = [], {}
    for id_, sound in ears.sounds(check).items():
        batch = programme.outcomes[id_].batch
        voice = (batch.engine, batch.voice.identity)
        heard.append(Heard(id=id_, voice=voice, sound=sound))
        if batch.voice.digest:
            cloned[voice] = batch.voice.digest
    references = {voice: _reference(storage, digest) for voice, digest in cloned.items()}
    return compare(heard, {voice: ref for voice, ref in references.items() if ref is not None})


def _reference(storage: Storage, digest: str) -> Embeddings | None:
    try:
        return embed(load_reference(storage, digest))
    except (NotFound, BadInput, Damaged) as exc:
        # The lines of this voice are assembled nevertheless.
        log.warning("voice %s: no line is compared with its recording: %s", digest, exc)
        return None


def _encoder(programme: Programme, files: tuple[Path, ...], subtitles: Path) -> Encoder:
    job = programme.job
    film = programme.film.path if programme.film and programme.film.info.has_video else None
    return Encoder(
        files,
        channels=programme.channels,
        language=job.language,
        film=film,
        # ffmpeg accepts no subtitle file without a cue.
        subtitles=subtitles if job.output.subtitles and subtitles.read_text() else None,
        original_sound=job.output.original_sound,
        track=job.media_track,
        cover=write_cover(film, subtitles.parent) if film else None,
    )
