"""Whose takes are proven by their words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dubbing.engines.adapters.tone import Tone
from dubbing.media.samples import Audio
from dubbing.planning.plan import PlannedLine
from dubbing.proof.words import WordJudge
from dubbing.synthesis.ask import Ask
from dubbing.synthesis.progress import Prover

SOUND = Audio(samples=np.ones(16_000, np.float32), rate=16_000)


def test_a_take_of_an_engine_that_speaks_no_words_is_not_judged(tmp_path: Path) -> None:
    line = PlannedLine(id="1", spoken="Good day.", speed=1.0, room=5.0, max_rate=1.25)
    ask = Ask(line, 1.0, "clips/ab/ab.flac")
    prover = Prover(WordJudge(tmp_path))
    hummed = prover.words(Tone.spec, "en", ask, SOUND).result()
    spoken = prover.words(Tone.spec.model_copy(update={"says_words": True}), "en", ask, SOUND)
    prover.close()
    assert (hummed.right, hummed.unjudged) == (None, "the engine speaks no words")
    # This judge has no model.
    assert spoken.result().unjudged not in {"", hummed.unjudged}
