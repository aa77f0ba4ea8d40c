"""Has takes with wrong words spoken again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dubbing.engines.engine import Line, Spoken
from dubbing.errors import DubbingError
from dubbing.synthesis.ask import Ask
from dubbing.synthesis.mouth import HANDED_BACK, Mouth
from dubbing.synthesis.progress import Made, Progress
from dubbing.telemetry.context import bound

TRIES = 3
"""Attempts at a line, each with another seed."""


class Mender:
    """Has an engine speak misspoken takes of a batch again, and keeps the better take of each."""

    def __init__(
        self,
        mouth: Mouth,
        judged: Callable[[Ask, int, Spoken], Made | DubbingError],
        check: Callable[[], None],
    ) -> None:
        """Keep the engine and the callbacks.

        judged: returns the take of an ask from its seed and sound, or why there is none.
        check: called before each call of the engine; raises unless the work is still needed.
        """
        self._mouth = mouth
        self._judged = judged
        self._check = check

    def mend(self, lines: Sequence[Progress], place: int) -> list[Progress]:
        """Have misspoken takes spoken again, first with other seeds, then in parts.

        place: 0 for the natural takes, 1 for the faster takes. Waits for the proof of all takes.
        Returns the lines that have a new take. Raises the errors `HANDED_BACK`.
        """
        before = [line.takes[place] for line in lines]
        for say in [self._mouth.say_alone] * (TRIES - 1) + [self._mouth.say_in_parts]:
            self._try([line for line in lines if line.takes[place].misspoken], place, say)
        pairs = zip(lines, before, strict=True)
        return [line for line, made in pairs if line.takes[place] is not made]

    def _try(
        self,
        lines: Sequence[Progress],
        place: int,
        say: Callable[[Line, Callable[[], None]], Spoken],
    ) -> None:
        """Speak each line once more by ``say``, and keep the better take."""
        made: list[tuple[Progress, Made]] = []
        for outcome in lines:
            self._check()
            ask = outcome.takes[place].ask
            line = self._mouth.line(ask, outcome.attempts)
            outcome.attempts += 1
            with bound(segment=ask.line.id):
                spoken = say(line, self._check)
            if isinstance(spoken, HANDED_BACK):
                raise spoken
            new = self._judged(ask, line.seed, spoken)
            if isinstance(new, Made):
                made.append((outcome, new))
        # Compared last, so that the proof of one take runs while the next line is spoken.
        for outcome, new in made:
            outcome.replace(outcome.takes[place], new)
