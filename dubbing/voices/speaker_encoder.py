"""The speaker encoder: turns speech into embeddings, which are close when one person speaks.

It is Resemblyzer's encoder, an LSTM over mel spectra. Only the weights in Resemblyzer's wheel are
used, because a dependency of its code needs a compiler. The network runs in numpy, because torch
takes more memory than the rest of assembly together.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import soxr

from dubbing.media.samples import Audio, Samples
from dubbing.voices.lstm import Lstm
from dubbing.voices.weights import read_weights

INSTALL = "pip install 'dubbing[quality]' && pip install --no-deps resemblyzer==0.1.4"
"""Without dependencies: one of them has to be compiled, and none is used."""

Embeddings = npt.NDArray[np.float32]
"""``(256,)`` or ``(n, 256)``, each of length 1: the cosine of two is their product."""

SHORTEST = 0.8
"""Seconds of speech below which an embedding tells words apart rather than speakers."""
RATE = 16_000
"""Sample rate of the input, in Hz."""
POWER = 0.39
"""Power of an input spectrum, summed over its bands: the power of speech at -30 dBFS, the level of
the encoder's training."""
FRAME, STEP, BANDS = 400, 160, 40
"""Samples of a spectrum, samples from one spectrum to the next, and mel bands."""
WINDOW = 160
"""Spectra of one window, the input of the encoder: 1.6 s."""
PAUSE = 1e-4
"""Share of the loudest spectrum's power below which a spectrum is a pause."""
LAYERS = 3

log = logging.getLogger(__name__)
_loading, _encoding = Lock(), Lock()


def available() -> bool:
    """Whether the encoder is installed on this machine."""
    return _weights() is not None and find_spec("threadpoolctl") is not None


def listen(audio: Audio, most: int) -> Embeddings | None:
    """Return the embeddings of up to ``most`` windows, ``(n, 256)``, spread over all the speech.

    Pauses are left out, and loudness does not matter. None when there is too little speech or no
    encoder. On one core it takes less than 1/150 of the speech's length; several threads may
    listen at once.
    """
    cut = windows(audio, most)
    return None if cut is None else encode(cut)


def encode(windows: Samples) -> Embeddings:
    """Return the embeddings of `windows`, ``(n, 256)``; in large calls each costs a third."""
    with _loading:
        encoder = _encoder()
    assert encoder is not None  # noqa: S101 - without one there are no windows
    return encoder(windows)


def windows(audio: Audio, most: int) -> Samples | None:
    """Return the windows of ``audio``, ``(n, WINDOW, BANDS)``; None in the cases of `listen`."""
    with _loading:
        encoder = _encoder()
    if encoder is None or not audio.samples.any():
        return None
    spectra = _spectra(audio)
    if len(spectra) * STEP < SHORTEST * RATE:
        return None
    if len(spectra) < WINDOW:
        # Short speech is repeated, because padding with silence distinguishes voices less well.
        spectra = np.resize(spectra, (WINDOW, BANDS))
    # Windows do not overlap; each is in the middle of its share of the speech.
    share = len(spectra) / min(most, len(spectra) // WINDOW)
    starts = (np.arange(0, len(spectra) - 1, share) + (share - WINDOW) / 2).astype(int)
    cut = np.stack([spectra[start : start + WINDOW] for start in starts])
    scaled: Samples = cut * (POWER * WINDOW / cut.sum(axis=(1, 2), keepdims=True))
    return scaled


def _spectra(audio: Audio) -> Samples:
    """Return mel spectra as in the encoder's training, without pauses, ``(frames, BANDS)``."""
    samples = np.pad(soxr.resample(audio.samples, audio.rate, RATE), FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::STEP]
    energy = np.square(frames).sum(axis=1)
    frames = frames[energy > energy.max() * PAUSE]
    # A periodic Hann window.
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(FRAME + 1)[:-1])))
    # Without BLAS, whose threads would spin after so small a product and double the CPU time.
    spectra: Samples = np.einsum("fk,bk->fb", power, _mel_bands()).astype(np.float32)
    return spectra


@cache
def _mel_bands() -> npt.NDArray[np.float64]:
    """Return the weight of each bin of a spectrum in each band, ``(BANDS, bins)``.

    The bands are triangles of equal area on Slaney's scale: linear up to 1 kHz, which is 15 mel,
    then logarithmic.
    """
    log_step = np.log(6.4) / 27
    mels = np.linspace(0, 15 + np.log(RATE / 2000) / log_step, BANDS + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * log_step))
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bins = np.fft.rfftfreq(FRAME, 1 / RATE)
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    bands: npt.NDArray[np.float64] = np.clip(np.minimum(rising, falling), 0, None)
    bands *= 2 / (right - left)
    return bands


def _weights() -> Path | None:
    package = find_spec("resemblyzer")
    folders = (package and package.submodule_search_locations) or ()
    files = (Path(folder) / "pretrained.pt" for folder in folders)
    return next(filter(Path.is_file, files), None)


@cache
def _encoder() -> Callable[[Samples], Embeddings] | None:
    """Return a function from windows ``(n, WINDOW, BANDS)`` to embeddings ``(n, 256)``."""
    weights = _weights()
    if weights is None or not available():
        return None
    try:
        return _load(weights)
    except Exception:
        # A damaged file of weights must not fail a job.
        log.exception("voices are not compared: the speaker encoder cannot be loaded")
        return None


def _load(weights: Path) -> Callable[[Samples], Embeddings]:
    from threadpoolctl import ThreadpoolController

    stored = read_weights(weights, "model_state")
    lstm = Lstm({name.removeprefix("lstm."): part for name, part in stored.items()}, LAYERS)
    matrix, bias = stored["linear.weight"].T, stored["linear.bias"]
    blas = ThreadpoolController().select(user_api="blas")

    def encode(windows: Samples) -> Embeddings:
        # Such small products are no faster on several cores, and BLAS threads spin between them.
        # One call at a time, because the limit applies to the whole process.
        with _encoding, blas.limit(limits=1):
            heard: Embeddings = np.maximum(lstm(windows) @ matrix + bias, 0)
        heard /= np.linalg.norm(heard, axis=1, keepdims=True)
        return heard

    return encode


ONE_SPEAKER = 0.84
"""`unity` below which more than one person seems to speak. In 10 s of speech or more, 1 in 50
recordings of a single eSpeak variant is below it, and 4 in 5 of those that two variants share
evenly; a few words by a second speaker go unnoticed."""


FEWEST = 2
"""Fewest windows of each of two speakers to tell the two apart."""


SEARCHED = 32
"""Most windows that are searched for a second speaker."""


DIVISIBLE = 6
"""Fewest windows to tell one speaker from two: 10 s of speech."""


def unity(audio: Audio) -> float | None:
    """Return the similarity of the two parts of ``audio`` that differ most.

    Below ``ONE_SPEAKER`` more than one person seems to speak. None when there is too little
    speech to tell, or no speaker encoder.
    """
    heard = listen(audio, SEARCHED)
    if heard is None or len(heard) < DIVISIBLE:
        return None
    side = np.linalg.svd(heard - heard.mean(axis=0), full_matrices=False)[0][:, 0]
    one, other = heard[side > 0], heard[side <= 0]
    if min(len(one), len(other)) < FEWEST:
        return None
    return float(unit(one.mean(axis=0)) @ unit(other.mean(axis=0)))


def unit(vector: Embeddings) -> Embeddings:
    """Return ``vector`` scaled to length 1."""
    unit: Embeddings = vector / np.linalg.norm(vector)
    return unit
