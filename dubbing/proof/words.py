"""Proof of words: whether a take says the requested words.

Whisper transcribes the take. The transcript shows added and repeated words. It does not show
whether each requested word was said, because Whisper fills in words that it expects and mishears
others; the likelihood of the text relative to its rivals shows that (`proof/rivals`,
`proof/evidence`). The take is not padded to Whisper's window of 30 s, so the transcript may go on
in a loop; words that have no duration in the sound are ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from math import inf
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import soxr

from dubbing.engines.models.folders import Weights
from dubbing.media.samples import Audio
from dubbing.planning.result import WordsHeard
from dubbing.proof.evidence import Likelihoods
from dubbing.proof.numbers import as_asked
from dubbing.proof.rivals import Word, letters, plain, rivals
from dubbing.proof.thresholds import UNCERTAIN, Threshold, Thresholds, calibrated
from dubbing.text.characters import shares_script

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

NAME = "whisper"
"""Name of the model, and of its folder."""
EXTRA = "words"
LICENCE = "MIT"
_VOCABULARY = "vocabulary.*"
WEIGHTS = Weights(
    files=("config.json", "model.bin", "tokenizer.json", _VOCABULARY),
    home="https://huggingface.co/Systran/faster-whisper-tiny",
    repository="Systran/faster-whisper-tiny",
    revision="d90ca5fe260221311c53c58e660288d3deb8d356",
    sha256={
        "config.json": "a73a28cdfe1c43ccc7202fa333d1f89c202477271407ae9a7f19afa52039cac8",
        "model.bin": "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
)
"""Any Whisper model in CTranslate2 format works; the default is the smallest one."""

RATE = 16_000
"""Sample rate of Whisper's input, in Hz."""
LONGEST = 30.0
"""Seconds of Whisper's window."""
LEAD = 0.25
"""Seconds of silence before a take; without it, Whisper mishears the first word."""
TAIL = 0.5
"""Seconds of silence after a take; without it, Whisper adds words. Silence up to the whole window
would take much longer."""
MOST_TOKENS = 200
"""Most tokens of a text; Whisper's context holds 448, including the transcript."""
EXTRA_TOKENS = 12
"""Tokens of a transcript beyond those of the text: enough to show that words were added."""
SLIPS = 2
"""Letters that may differ in any line, so that one misheard sound does not fail a short word."""
BEFORE = {
    "hi": "मैं घर जा रहा हूँ। क्या तुम भी आओगे?",
    "zh": "以下是普通话的句子。",
    "zh-Hant": "以下是普通話的句子。",
}
"""Text before the requested one, in the script of the language, for languages that Whisper writes
in several scripts."""
SQUEEZED = 0.1
"""Seconds; two words in a row that are both shorter were not said."""
CODES = {"cmn": "zh", "nb": "no", "fil": "tl", "iw": "he", "jv": "jw", "in": "id"}
"""Whisper's codes by BCP 47 language, where they differ."""

log = logging.getLogger(__name__)


def missing(folder: Path) -> str:
    """Return the missing part of proof of words, with the remedy; ``""`` if it is complete."""
    if find_spec("faster_whisper") is None:
        return f"pip install 'dubbing[{EXTRA}]'"
    return f"run `dubbing models fetch {NAME}`" if WEIGHTS.missing(folder) else ""


class Fit(NamedTuple):
    """The fit of a take to its text."""

    text: str
    """The words heard."""
    evidence: tuple[tuple[str, float], ...]
    """For each rival, the requested words that it lacks, and the evidence for them in nats."""
    slips: int
    """Letters that differ from the requested ones."""
    errors: float
    """The same as a share of the requested letters."""
    added: int
    """Most letters in a row that were added to the requested ones."""

    @property
    def least_evidence(self) -> float:
        """The lowest evidence against any rival; infinite without rivals."""
        return min((value for _, value in self.evidence), default=inf)

    def judged(self, threshold: Threshold) -> WordsHeard:
        """Return the verdict on the take."""
        alike = self.slips <= SLIPS or self.errors <= threshold.errors
        no_more, no_less = self.added <= threshold.added, self.least_evidence >= threshold.evidence
        right = alike and no_more and no_less
        certain = threshold.evidence + UNCERTAIN
        lacking = tuple(words for words, value in self.evidence if value < certain)
        return WordsHeard(
            text=self.text,
            errors=round(self.errors, 4),
            evidence=round(self.least_evidence, 2) if self.evidence else None,
            uncertain=lacking if right else (),
            right=None if right and lacking else right,
        )


def calibrated_to(fits: Sequence[Fit]) -> Threshold:
    """Return the threshold for the fits of right lines; raises as `calibrated`."""
    return calibrated([(fit.least_evidence, fit.added, fit.errors) for fit in fits])


class WordJudge:
    """Judges takes. Safe to use from several threads. Loads the model for the first take."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Read the thresholds, without loading the model.

        folder: the model's. threads: most simultaneous takes, each on one core.
        """
        self._folder = folder
        self.threads = threads
        self._thresholds = Thresholds.load(folder)
        self._lock = Lock()

    def judge(self, engine: str, language: str, text: str, audio: Audio) -> WordsHeard:
        """Return the verdict on a take; one that cannot be judged is neither right nor wrong.

        engine: name of its engine. language: BCP 47 tag. Both choose the threshold.
        text: the requested words, with numbers in words.
        """
        try:
            fit = self.fit(language, text, audio)
        except Exception as exc:
            # A line must not fail because it could not be judged.
            log.exception("the words of a line are not judged")
            fit = f"{type(exc).__name__}: {exc}"
        if isinstance(fit, str):
            return WordsHeard(unjudged=fit)
        return fit.judged(self._thresholds.of(engine, language))

    def fit(self, language: str, text: str, audio: Audio) -> Fit | str:
        """Return the fit of a take to its text, or why it cannot be judged."""
        with self._lock:
            model = self._model
        code = _code(language)
        if code not in model.supported_languages:
            return f"the model does not know the language {language}"
        if LEAD + audio.seconds + TAIL > LONGEST:
            return f"it is longer than the {LONGEST:g} s that the model hears"
        text = plain(text.strip())
        tokens = self._tokenizer(code).encode(f" {text}")
        if not letters(text) or len(tokens) > MOST_TOKENS:
            return "it has no letters, or too many"
        return self._fit(code, language, text, tokens, audio)

    def _fit(self, code: str, language: str, text: str, tokens: Sequence[int], audio: Audio) -> Fit:
        from rapidfuzz.distance import Levenshtein

        model, tokenizer, asked = self._model, self._tokenizer(code), letters(text)
        samples = soxr.resample(audio.samples, audio.rate, RATE)
        spectra = model.feature_extractor(np.pad(samples, (round(LEAD * RATE), round(TAIL * RATE))))
        sound = model.encode(spectra)
        prompt = _prompt(tokenizer, text)
        # In its own letters, small models write Hindi worse, and judge it better.
        begun = tokenizer.sot_sequence if code == "hi" else prompt
        (read,) = model.model.generate(
            sound,
            [[*begun, tokenizer.no_timestamps]],
            beam_size=1,
            # CTranslate2 generates at most half of max_length.
            max_length=2 * (len(tokens) + EXTRA_TOKENS),
        )
        heard = plain(tokenizer.decode(read.sequences_ids[0]))
        worded = plain(as_asked(heard, asked, language))
        if not shares_script(heard, text):
            # Hindi in Urdu's letters, or a translation: only likelihood tells its words.
            worded = text
        elif len(letters(worded)) > len(asked) + SLIPS:
            ids = [tokenizer.encode(heard)]
            (timed,) = model.find_alignment(tokenizer, ids, sound, spectra.shape[-1])
            heard = _said(timed, len(asked) - SLIPS)
            worded = plain(as_asked(heard, asked, language))
        read_words = _words(tokenizer, tokenizer.encode(worded))
        others = rivals(_words(tokenizer, tokens), read_words)
        likelihoods = Likelihoods(model.model, prompt)
        found = likelihoods.evidence(sound, spectra.shape[-1], tokens, others)
        edits = Levenshtein.opcodes(asked, letters(worded))
        slips = sum(_size(edit) for edit in edits if edit.tag != "equal")
        return Fit(
            text=heard.strip(),
            evidence=tuple(
                (rival.words, value) for rival, value in zip(others, found, strict=True)
            ),
            slips=slips,
            errors=slips / len(asked),
            added=max((_size(edit) for edit in edits if edit.tag == "insert"), default=0),
        )

    @cached_property
    def _model(self) -> WhisperModel:
        from faster_whisper import WhisperModel

        # 8-bit weights halve the time, with the same results.
        return WhisperModel(
            str(self._folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=1,
            num_workers=self.threads,
            local_files_only=True,
        )

    def _tokenizer(self, code: str) -> Tokenizer:
        from faster_whisper.tokenizer import Tokenizer

        multilingual = self._model.model.is_multilingual
        return Tokenizer(self._model.hf_tokenizer, multilingual, task="transcribe", language=code)


def _code(language: str) -> str:
    tag = language.lower().partition("-")[0]
    return CODES.get(tag, tag)


def _prompt(tokenizer: Tokenizer, text: str) -> list[int]:
    """Return the tokens before a text."""
    code, start = tokenizer.language_code, [*tokenizer.sot_sequence]
    if code == "zh" and _encodes(text, "big5") and not _encodes(text, "gb2312"):
        code = "zh-Hant"
    if before := BEFORE.get(code):
        return [tokenizer.sot_prev, *tokenizer.encode(f" {before}"), *start]
    return start


def _encodes(text: str, charset: str) -> bool:
    """Whether a character set has all letters of a text."""
    try:
        letters(text).encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _words(tokenizer: Tokenizer, tokens: Sequence[int]) -> list[Word]:
    """Return the words of some tokens; single characters for scripts without spaces."""
    return [*map(Word, *tokenizer.split_to_word_tokens([*tokens]))]


def _size(edit: Any) -> int:
    """Return how many letters an edit changes."""
    return int(max(edit.src_end - edit.src_start, edit.dest_end - edit.dest_start))


def _said(words: Sequence[Mapping[str, Any]], least: int) -> str:
    """Return the text of a transcript up to the first two words that have no duration.

    words: as faster-whisper aligns them. least: letters at the beginning in which only repeated
    words can be without duration, because other short words may be as short as `SQUEEZED`.
    """
    said: list[str] = []
    before: set[str] = set()
    squeezed = count = 0
    for word in words:
        if heard := letters(word["word"]):
            late = count >= least or heard in before
            squeezed = squeezed + 1 if late and word["end"] - word["start"] < SQUEEZED else 0
            before.add(heard)
            count += len(heard)
        if squeezed == 2:
            del said[-1]
            # A loop begins with the first word, which may be aligned with silence.
            begun = bool(said) and letters(said[-1]) == letters(words[0]["word"])
            return "".join(said[:-1] if begun else said)
        said.append(word["word"])
    return "".join(said)
