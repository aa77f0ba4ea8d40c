"""The base of engines whose servers clone a reference in the request."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from dubbing.engines.adapters._shared import cannot_clone, check_heard, no_such_voice
from dubbing.engines.engine import Line, VoiceForm
from dubbing.engines.remote.engine import RemoteEngine
from dubbing.errors import DubbingError, SpeechRejected

if TYPE_CHECKING:
    from dubbing.media.samples import Audio


class CloningEngine(RemoteEngine):
    """An engine that speaks in the voice of a reference, and in the voices of its pool, if any."""

    heard_seconds: ClassVar[float] = math.inf
    """Most seconds of a reference that the model uses; the rest is not sent."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Return the recording itself and its transcript, as `form_of` does.

        Raises SpeechRejected for a reference that is silent, too short, too long or without a
        required transcript, and if the servers do not clone.
        """
        # Commands that list engines handle no sound.
        from dubbing.engines.remote.references import form_of  # noqa: PLC0415

        if not self.spec.clones:
            raise cannot_clone(self.spec)
        if fault := self.spec.reference_fault(reference.seconds, transcript):
            raise SpeechRejected(fault)
        check_heard(reference)
        return form_of(reference, transcript, min(self.heard_seconds, reference.seconds))

    def refusal(self, line: Line) -> DubbingError | None:
        """Return the error of a line with an unknown voice; None to send the line.

        Such a line is not sent, because some servers would speak it in their default voice.
        """
        named = isinstance(line.voice, str)
        known = line.voice in self.spec.voices if named else self.spec.clones
        return None if known else no_such_voice(self.spec, line.voice)
