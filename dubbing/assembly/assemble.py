"""Assembly of a round's clips into a dubbed programme: fit, mix, master, encode, report.

Two passes over the programme, with memory flat in its length: the first mixes into a temporary
file and measures loudness, the second brings the mix to its profile and encodes it.
"""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dubbing.assembly.delivery import Delivery
from dubbing.assembly.mastering import PROFILES, SILENCE, Levels, gain, master
from dubbing.assembly.mix import BLOCK, Mixer, spread
from dubbing.assembly.programme import Programme, prepare
from dubbing.assembly.report import Loudness, Report, ReportLine, warnings
from dubbing.engines.usage import EndpointUse
from dubbing.errors import BadInput, Damaged, NotFound
from dubbing.job import FILMS, Job, JobState
from dubbing.media.disk import check_space
from dubbing.media.encode import Encoder
from dubbing.media.meter import Recorder, read_raw
from dubbing.media.probe import RATE
from dubbing.planning.outcome import Outcome
from dubbing.proof.speaker import Heard, Match, SpeakerListener, compare, embed
from dubbing.script.subtitles import write_srt
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.storage.parallel import in_order
from dubbing.voices.speaker_encoder import Embeddings
from dubbing.voices.store import load_reference

SAMPLE_BYTES = 4
"""Bytes per sample of the temporary file; no output takes more."""

UPLOADED = 2
"""Outputs that are uploaded at once; parts of each are in memory."""

log = logging.getLogger(__name__)


def assemble(
    job: Job,
    round_: int,
    run: str,
    outcomes: Mapping[str, Outcome],
    storage: Storage,
    workdir: Path,
    *,
    asked: int = 1,
    request_id: str | None = None,
    used: Sequence[EndpointUse] = (),
    check: Callable[[], None] = lambda: None,
) -> Report:
    """Make the outputs that ``job`` asks for from its lines' outcomes; return the report.

    All files are written under ``Keys.output(job, round_, run)``, and to ``job.output.to``, the
    report last. When a larger share of the lines has no take than ``job.allow_missing``, only the
    report is written, with the state failed.

    run: tells this run from others of the same round.
    outcomes: by segment id, of the rounds up to ``round_``.
    asked: the first round whose lines the report lists as renewed.
    request_id: of the request over HTTP that asked for the round.
    used: what the job used of servers.
    workdir: an existing folder with room for the uncompressed programme and the outputs.
    check: called every few seconds of the programme, and before a file is delivered to
    ``job.output.to``; raises to stop the work.

    Raises ClipUnreadable with every line whose clip must be spoken again, BadInput for a
    ``job.output.to`` that refuses a file, BadInput or MediaError for a film that cannot be read,
    MediaError for a disk too small, Stopped, NotFound, StorageUnavailable. Temporary files are
    always removed.
    """
    script = sorted(job.segments, key=lambda segment: segment.start)
    delivery = Delivery(job, storage, Keys.output(job.id, round_, run), check)
    report = Report.unmixed(job, round_, outcomes, asked=asked, request_id=request_id, used=used)
    if report.missing <= job.allow_missing:
        with tempfile.TemporaryDirectory(prefix="assembly-", dir=workdir) as folder:
            programme = prepare(job, script, outcomes, storage, Path(folder))
            _check_space(programme, storage, Path(folder))
            dubbed = _dub(programme, storage, Path(folder), check)
            report = _completed(report, programme, dubbed, delivery)
            for _ in in_order(delivery.send, dubbed.files, at_once=UPLOADED):
                pass
    delivery.complete(report)
    return report


@dataclass(frozen=True, kw_only=True)
class _Dubbed:
    """The result of the two passes."""

    files: tuple[Path, ...]
    loudness: Loudness
    lines: dict[str, float | None]
    """LUFS of each line as mastered, by segment id."""
    matches: Mapping[str, Match]
    """How well lines match their voices, by segment id; lines that cannot be judged have none."""


def _dub(
    programme: Programme, storage: Storage, folder: Path, check: Callable[[], None]
) -> _Dubbed:
    """Mix into a temporary file, then master it into the outputs."""
    raw = folder / "mix.f32"
    channels, frames = programme.channels, programme.frames
    profile = PROFILES[programme.job.output.loudness]
    ears = SpeakerListener(folder / "heard.f32")
    mixer = Mixer(storage, programme.clips(), frames=frames, channels=channels, listen=ears.hear)
    levels = Levels()
    with Recorder(raw, channels=channels) as recorder:
        for block in mixer.blocks(programme.background()):
            check()
            levels.observe(block)
            recorder.write(block)

    decibels = gain(profile, recorder.integrated, levels)
    mastered = master(read_raw(raw, channels, BLOCK), decibels, profile.ceiling)
    subtitles = folder / "dub.srt"
    write_srt(list(programme.script), subtitles)
    files = tuple(folder / f"dub.{container}" for container in programme.containers)
    with ThreadPoolExecutor(1, "proof") as pool, _encoder(programme, files, subtitles) as encoder:
        # Beside the encoders, which rarely use all cores.
        matches = pool.submit(_matches, programme, storage, ears, check)
        for block in mastered:
            check()
            encoder.write(block)

    measured = encoder.loudness
    silent = measured.integrated <= SILENCE
    louder = decibels + spread(channels)
    return _Dubbed(
        files=(*files, subtitles),
        loudness=Loudness(
            profile=programme.job.output.loudness,
            target=profile.loudness,
            ceiling=profile.ceiling,
            gain=decibels,
            integrated=None if silent else measured.integrated,
            true_peak=None if math.isinf(measured.true_peak) else measured.true_peak,
        ),
        lines={
            id_: None if lufs is None else lufs + louder for id_, lufs in mixer.loudness.items()
        },
        matches=matches.result(),
    )


def _matches(
    programme: Programme, storage: Storage, ears: SpeakerListener, check: Callable[[], None]
) -> dict[str, Match]:
    """Return how well each comparable line matches its voice, by segment id."""
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
        # The lines spoken in this voice exist all the same.
        log.warning("voice %s: no line is compared with its recording: %s", digest, exc)
        return None


def _encoder(programme: Programme, files: tuple[Path, ...], subtitles: Path) -> Encoder:
    job = programme.job
    return Encoder(
        files,
        channels=programme.channels,
        language=job.language,
        film=programme.film.path if programme.film and programme.film.info.has_video else None,
        # ffmpeg accepts no subtitle file without a cue.
        subtitles=subtitles if job.output.subtitles and subtitles.read_text() else None,
        original_sound=job.output.original_sound,
        track=job.media_track,
    )


def _completed(report: Report, programme: Programme, dubbed: _Dubbed, delivery: Delivery) -> Report:
    spoken = {
        segment.id: ReportLine.of(
            segment,
            programme.outcomes[segment.id],
            programme.placements.get(segment.id),
            dubbed.lines.get(segment.id),
            programme.note(segment),
            dubbed.matches.get(segment.id, Match()),
        )
        for segment in programme.spoken
    }
    lines = tuple(spoken.get(line.id, line) for line in report.lines)
    return report.model_copy(
        update={
            "state": JobState.COMPLETED,
            "seconds": programme.frames / RATE,
            "loudness": dubbed.loudness,
            "outputs": tuple(map(delivery.entry, dubbed.files)),
            "lines": lines,
            "warnings": warnings(lines, dubbed.loudness),
        }
    )


def _check_space(programme: Programme, storage: Storage, folder: Path) -> None:
    """Raise MediaError unless the disks hold the mix and its outputs."""
    track = programme.frames * programme.channels * SAMPLE_BYTES
    film = programme.film.path.stat().st_size if programme.film else 0
    outputs = sum(track + (film if container in FILMS else 0) for container in programme.containers)
    needed = {folder: track + outputs}
    if kept := storage.path(""):
        needed[kept] = outputs
    check_space(needed)
