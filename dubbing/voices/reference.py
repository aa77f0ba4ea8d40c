"""Recordings that voices are made from: decoded, judged, and prepared for any engine.

A recording is judged unprocessed, and refused when no engine could make a voice from it. The
prepared recording is mono at one rate, without the silence around the speech, and all its parts
are equally loud.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from dubbing.errors import BadInput
from dubbing.files import digest_file
from dubbing.media.probe import decode_speech
from dubbing.media.samples import Audio, Samples, peak
from dubbing.voices.speaker_encoder import ONE_SPEAKER, unity
from dubbing.voices.voice import Judgement, Voice, voice_digest

RATE = 24_000
"""Hz; at least the rate that the cloning engines were trained on."""
LARGEST = 50_000_000
"""Most bytes of one file."""
LONGEST = 300.0
"""Most seconds of one file; an engine's own bounds are narrower."""
LEAST_SPEECH = 0.3
"""Fewest seconds of speech in one file; an engine's own bounds are narrower."""
SHORTEST = 1.0
"""Fewest seconds of all files of a voice, for engines without bounds of their own."""
LEAST_SNR, GOOD_SNR, BEST_SNR = 15.0, 20.0, 60.0
"""Decibels of speech over noise: a recording is refused below the first and gets a caution below
the second; larger ratios count as the third."""
MOST_CLIPPED, FEW_CLIPPED = 0.01, 0.001
"""Shares of clipped samples above which a recording is refused, and gets a caution."""
TREBLE_FROM = 5000
"""Hz; a recording sampled at 8 kHz, as telephones do, has nothing above 4 kHz."""
LEAST_TREBLE = -60.0
"""Decibels against all of the speech, below which there is no treble; speech has about -30."""
FULL_SCALE = 0.95
"""Magnitude from which a sample counts as clipped; MP3 and AAC blur samples clipped at 1."""

FRAME = 0.02
"""Seconds of the frames that are judged."""
HEARING_RATE = 16_000
"""Hz at which voice activity is detected."""
STRICTNESS = 2
"""Aggressiveness of the voice activity detector, 0 to 3."""
QUIETEST = 0.05
"""Share of the quietest frames, which count as noise: they lie between words."""
MARGIN = 0.25
"""Seconds kept on each side of speech, so a pause lasts at most twice as long."""
FADE = 0.005
"""Seconds of the fade at both ends of a part, so that joins do not click."""
LOUDNESS = -20.0
"""RMS of the speech in dBFS; BS.1770 needs more speech than a short recording has."""
HIGHEST = 0.9
"""Highest peak; it takes precedence over `LOUDNESS`."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Speech that a voice can be made from, and the judgement of the unprocessed sound."""

    audio: Audio
    """Mono at `RATE`."""
    judgement: Judgement


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A voice that is not stored yet, and its reference."""

    voice: Voice
    audio: Audio


def record(
    paths: Sequence[Path],
    *,
    names: Sequence[str] = (),
    transcript: str = "",
    language: str = "",
    consent: str = "",
) -> Recording:
    """Return the voice made from recordings of one speaker, joined in the given order.

    names: the provenance of the recordings; by default the file names.
    Raises BadInput for a file that cannot be read or used, with the fault and the remedy.
    """
    prepared = join([prepare(path) for path in paths])
    if prepared.audio.seconds < SHORTEST:
        raise BadInput(
            f"{prepared.audio.seconds:.1f} s of speech are too short to tell a voice: record "
            f"{SHORTEST:g} s or more; most engines need 3 s",
            where=", ".join(path.name for path in paths),
        )
    digests = [digest_file(path) for path in paths]
    return Recording(
        voice=Voice(
            digest=voice_digest(digests, transcript, language, consent),
            seconds=prepared.audio.seconds,
            transcript=transcript,
            language=language,
            provenance=tuple(names or (path.name for path in paths)),
            consent=consent,
            judgement=prepared.judgement,
        ),
        audio=prepared.audio,
    )


def prepare(path: Path) -> Prepared:
    """Return the speech of a sound file or film; raises BadInput when it cannot be used."""
    if path.is_file():
        check_size(path.stat().st_size, path.name)
    prepared = prepare_sound(decode_speech(path, rate=RATE, max_seconds=LONGEST))
    if fault := fault_of(prepared.judgement):
        raise BadInput(fault, where=path.name)
    return prepared


def check_size(size: int, name: str) -> None:
    """Raise BadInput for a file larger than `LARGEST`."""
    if size > LARGEST:
        raise BadInput(
            f"the file has {size / 1e6:.0f} MB, and at most {LARGEST / 1e6:.0f} are read: cut it",
            where=name,
        )


def prepare_sound(audio: Audio) -> Prepared:
    """Return the speech in ``audio``, mono at `RATE`, with a judgement of ``audio``."""
    speaking, power = _listen(audio)
    judgement = Judgement(
        speech=round(float(speaking.sum()) * FRAME, 2),
        snr=round(_snr(speaking, power), 1),
        clipped=round(float(np.mean(np.abs(audio.samples) >= FULL_SCALE)), 5),
        treble=_treble(audio, speaking),
        loudness=_loudness(power[speaking]),
    )
    if not speaking.any():
        return Prepared(audio=Audio(samples=audio.samples[:0], rate=RATE), judgement=judgement)
    speech = splice([audio.samples[part] for part in _parts(speaking)])
    loudness = 10 ** (LOUDNESS / 20) / np.sqrt(power[speaking].mean())
    gain = np.float32(min(loudness, HIGHEST / peak(speech)))
    return Prepared(audio=Audio(samples=speech * gain, rate=RATE), judgement=judgement)


def join(parts: Sequence[Prepared]) -> Prepared:
    """Return ``parts`` as one, in the given order, judged by the worst of them."""
    heard = [part.judgement for part in parts]
    audio = Audio(samples=np.concatenate([part.audio.samples for part in parts]), rate=RATE)
    likeness = unity(audio)
    judgement = Judgement(
        speech=round(sum(judgement.speech for judgement in heard), 2),
        snr=min(judgement.snr for judgement in heard),
        clipped=max(judgement.clipped for judgement in heard),
        treble=min((j.treble for j in heard if j.treble is not None), default=None),
        likeness=None if likeness is None else round(likeness, 3),
        loudness=min((j.loudness for j in heard if j.loudness is not None), default=None),
    )
    return Prepared(audio=audio, judgement=judgement)


def splice(parts: Sequence[Samples]) -> Samples:
    """Return ``parts`` one after the other, each with short fades and otherwise unchanged."""
    faded = []
    for part in parts:
        ramp = np.linspace(0, 1, min(round(FADE * RATE), len(part) // 2), dtype=np.float32)
        shape = np.ones(len(part), np.float32)
        shape[: len(ramp)], shape[len(part) - len(ramp) :] = ramp, ramp[::-1]
        faded.append(part * shape)
    return np.concatenate(faded)


def fault_of(judgement: Judgement) -> str | None:
    """Return why a recording cannot be used, in figures, and the remedy; None when it can."""
    if judgement.speech < LEAST_SPEECH:
        return f"{judgement.speech:g} s of speech are heard in it: record somebody who speaks"
    if judgement.snr < LEAST_SNR:
        return (
            f"{judgement.snr:.0f} dB of speech over noise, and {LEAST_SNR:.0f} are needed: record "
            "in a quiet room, near the microphone, without music"
        )
    if judgement.clipped > MOST_CLIPPED:
        return (
            f"{judgement.clipped:.1%} of the samples are clipped, and at most {MOST_CLIPPED:.0%} "
            "may be: record at a lower level"
        )
    return None


def doubts_of(voice: Voice) -> list[str]:
    """Return the reasons in a voice's judgement why a clone may not sound as intended."""
    doubts: list[str] = []
    if (judgement := voice.judgement) is None:
        return doubts
    if judgement.snr < GOOD_SNR:
        doubts.append(
            f"{judgement.snr:.0f} dB of speech over noise: the noise may be heard in the voice; "
            f"from {GOOD_SNR:.0f} dB on it is not"
        )
    if judgement.clipped > FEW_CLIPPED:
        doubts.append(f"{judgement.clipped:.1%} of the samples are clipped: the voice may crackle")
    if judgement.treble is not None and judgement.treble < LEAST_TREBLE:
        doubts.append(
            "it holds no sound above 4 kHz, like a telephone call: the voice will sound dull; "
            "record at 16 kHz or more"
        )
    if judgement.likeness is not None and judgement.likeness < ONE_SPEAKER:
        doubts.append(
            "more than one person seems to speak: the likeness of its parts is "
            f"{judgement.likeness:.2f}, and with one speaker it is {ONE_SPEAKER:.2f} or more"
        )
    return doubts


def _listen(audio: Audio) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Return whether each frame holds speech, and each frame's mean square."""
    import webrtcvad  # noqa: PLC0415 - only commands that take in a recording need it

    size = round(FRAME * HEARING_RATE)
    samples = soxr.resample(audio.samples, audio.rate, HEARING_RATE)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    pcm = (np.clip(frames, -1, 1) * 32767).astype("<i2")
    detector = webrtcvad.Vad(STRICTNESS)
    speaking = [detector.is_speech(frame.tobytes(), HEARING_RATE) for frame in pcm]
    return np.array(speaking, np.bool_), np.square(frames, dtype=np.float64).mean(axis=1)


def _snr(speaking: npt.NDArray[np.bool_], power: npt.NDArray[np.float64]) -> float:
    """Return the decibels of speech over noise.

    The detector takes pure noise for speech, but pure noise has no frames quieter than the others.
    """
    if not speaking.any():
        return 0.0
    first, last = np.flatnonzero(speaking)[[0, -1]]
    ordered = np.sort(power[first : last + 1])
    noise = ordered[: max(1, round(len(ordered) * QUIETEST))].mean()
    speech = power[speaking].mean() - noise
    if speech <= noise:
        return 0.0
    return min(BEST_SNR, float(10 * np.log10(speech / max(noise, speech * 10 ** (-BEST_SNR / 10)))))


def _loudness(power: npt.NDArray[np.float64]) -> float | None:
    """Return the RMS in dBFS of frames, given their mean squares; None for silence."""
    return round(float(10 * np.log10(power.mean())), 1) if power.any() else None


def _treble(audio: Audio, speaking: npt.NDArray[np.bool_]) -> float | None:
    """Return the level of the speech above `TREBLE_FROM` relative to all of it, in decibels."""
    size = round(FRAME * RATE)
    frames = audio.samples[: len(audio.samples) // size * size].reshape(-1, size)
    both = min(len(frames), len(speaking))
    spoken = frames[:both][speaking[:both]] * np.hanning(size).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(spoken)), dtype=np.float64).sum(axis=0)
    if not power.any():
        return None
    high = power[round(TREBLE_FROM * FRAME) :].sum()
    return round(float(10 * np.log10(max(high / power.sum(), 1e-12))), 1)


def _parts(speaking: npt.NDArray[np.bool_]) -> Iterator[slice]:
    """Yield the slices that hold speech and its margins, in samples at `RATE`."""
    beside = np.ones(2 * round(MARGIN / FRAME) + 1)
    kept = np.convolve(speaking, beside)[len(beside) // 2 :][: len(speaking)] > 0.5
    edges = np.flatnonzero(np.diff(kept, prepend=False, append=False))
    frame = round(FRAME * RATE)
    for start, end in edges.reshape(-1, 2):
        yield slice(start * frame, end * frame)
