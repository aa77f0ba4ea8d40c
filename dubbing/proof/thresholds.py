"""The thresholds of proof of words, by engine and language.

The defaults were measured; `dubbing words calibrate` writes those of an installation's own clips
into the folder of the model, for all workers that use it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from dubbing.documents import Model, validated
from dubbing.errors import BadInput
from dubbing.files import read_json

FILE = "thresholds.json"
ANY = "*"
FALSE_ALARMS = 0.02
"""Share of right lines that may be judged wrong."""
ADDED = 3
"""Added letters in a row that are tolerated: more letters are a word."""
UNCERTAIN = 0.5
"""Nats of evidence above the threshold within which a word is uncertain; the report names it."""
FEWEST = 50
"""Fewest right lines to calibrate with: one line is then at most the share `FALSE_ALARMS`."""

Number = TypeVar("Number", int, float)

log = logging.getLogger(__name__)


class Threshold(Model):
    """The bounds within which a take is right."""

    errors: float = Field(ge=0)
    """Most letters that differ from the requested ones, as a share of the requested letters."""
    evidence: float = 0.0
    """Least evidence for the text against any rival, in nats (`proof/evidence`)."""
    added: int = Field(default=ADDED, ge=0)
    """Most letters in a row that were added to the requested ones."""


DEFAULTS: Mapping[str, Threshold] = {
    "en": Threshold(errors=0.2),
    **dict.fromkeys(("es", "fr", "it", "pt"), Threshold(errors=0.5)),
    "hi": Threshold(evidence=-5.0, errors=0.5),
    # A word has few characters, so a single one more is tolerated.
    **dict.fromkeys(("zh", "cmn"), Threshold(evidence=-2.0, errors=0.5, added=1)),
    # Whisper often writes a word in kana instead of kanji.
    "ja": Threshold(evidence=-2.0, errors=1.0),
    ANY: Threshold(evidence=-2.0, errors=0.5),
}
"""By language. English was measured with a Piper voice and Whisper tiny: 2 % of right lines are
judged wrong. The other named languages were measured with Kokoro's voices and Whisper base, on 10
to 40 lines each (`scripts/bench omissions`). The bounds of all others are wider, because Whisper
knows some less well."""


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of an installation."""

    own: Mapping[str, Mapping[str, Threshold]]
    """Calibrated thresholds, by engine and language."""

    @classmethod
    def load(cls, folder: Path) -> Thresholds:
        """Return the thresholds in a model's folder; the defaults without a readable file."""
        path = folder / FILE
        try:
            found = read_json(path) if path.exists() else {}
            return cls(
                {
                    engine: {tag: validated(Threshold, value, path) for tag, value in tags.items()}
                    for engine, tags in found.items()
                }
            )
        except (BadInput, AttributeError) as exc:
            log.warning("%s is ignored: %s", path, exc)
            return cls({})

    def of(self, engine: str, language: str) -> Threshold:
        """Return the threshold for an engine and a language, else for it without its region."""
        tag, own = language.lower(), self.own.get(engine, {})
        base = tag.partition("-")[0]
        return own.get(tag) or own.get(base) or DEFAULTS.get(base) or DEFAULTS[ANY]

    def save(self, folder: Path, engine: str, language: str, threshold: Threshold) -> Path:
        """Write the file with one threshold changed; return its path.

        Raises BadInput when it cannot be written.
        """
        tags = {**self.own.get(engine, {}), language.lower(): threshold}
        own = {**self.own, engine: tags}
        path = folder / FILE
        new = path.with_suffix(".part")
        data = {
            name: {tag: value.model_dump() for tag, value in tags.items()}
            for name, tags in own.items()
        }
        try:
            new.write_text(json.dumps(data, indent=2) + "\n")
            new.replace(path)
        except OSError as exc:
            raise BadInput(f"it cannot be written: {exc.strerror}", where=str(path)) from exc
        return path


def calibrated(fits: Sequence[tuple[float, int, float]]) -> Threshold:
    """Return the threshold that judges `FALSE_ALARMS` of right lines wrong.

    fits: for each right line, the least evidence in nats, the most letters added in a row, and the
    share of wrong letters.

    Raises BadInput for fewer than `FEWEST` lines.
    """
    if len(fits) < FEWEST:
        raise BadInput(
            f"{len(fits)} lines are too few to calibrate with: dub at least {FEWEST} lines first"
        )
    alarms = int(len(fits) * FALSE_ALARMS)
    # Missing words are the worst fault, so they get most of the false alarms.
    least = -_exceeded(alarms - alarms // 4, [-evidence for evidence, _, _ in fits])
    rest = [fit for fit in fits if fit[0] >= least]
    alarms -= len(fits) - len(rest)
    added = max(ADDED, _exceeded(alarms, [added for _, added, _ in rest]))
    alarms -= sum(fit[1] > added for fit in rest)
    errors = _exceeded(alarms, [errors for _, more, errors in rest if more <= added])
    return Threshold(evidence=least if isfinite(least) else 0.0, added=added, errors=errors)


def _exceeded(times: int, values: Sequence[Number]) -> Number:
    """Return the least of the values that at most ``times`` of them exceed."""
    return sorted(values, reverse=True)[times]
