"""The JSON transcripts of speech recognisers: Whisper, its API, faster-whisper and WhisperX.

Their segments have a script's start, end and text, perhaps a speaker, and many fields that a script
does not need. These fields identify a transcript; a manifest written by people has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import langcodes

from dubbing.job.caution import Caution

SEGMENT_SIGNS = frozenset(
    {
        *("avg_logprob", "chars", "compression_ratio", "no_speech_prob", "seek", "temperature"),
        *("tokens", "words"),
    }
)
"""Fields of a segment that only a recogniser writes."""
SIGNS = frozenset(
    {
        *("all_language_probs", "duration", "duration_after_vad", "language_probability", "task"),
        *("text", "transcription_options", "usage", "vad_options", "word_segments", "words"),
        *("x_groq", "speaker_embeddings", "ori_dict"),
    }
)
"""Fields of a transcript that only a recogniser writes."""
SHARED = frozenset({"segments", "language"})
"""Fields of a transcript that a manifest has too."""
SHOWN = 5
"""Most speakers that one caution names."""
LONGEST_LANGUAGE = 100
"""Characters of a language's name."""
KEPT = ("start", "end", "text", "speaker")


def is_transcript(data: Any) -> bool:
    """Whether JSON, an object or a list of segments, is a recogniser's transcript."""
    segments = data.get("segments") if isinstance(data, dict) else data
    if not isinstance(segments, list):
        return False
    if isinstance(data, dict):
        if not data.keys() <= SIGNS | SHARED:
            return False
        if data.keys() & SIGNS:
            return True
    return any(isinstance(one, dict) and one.keys() & SEGMENT_SIGNS for one in segments)


def script_segments(segments: Sequence[Any]) -> list[Any]:
    """Return a recogniser's segments as a script's, without those that lack both length and text.

    Ids are left out, because in a transcript made in parts they start again in each part.
    """
    return [
        {name: one[name] for name in KEPT if one.get(name) is not None}
        if isinstance(one, dict)
        else one
        for one in _spoken(segments)
    ]


def language_of(transcript: Any) -> str | None:
    """Return the BCP 47 tag of a transcript's language, given by tag or English name; or None."""
    name = transcript.get("language") if isinstance(transcript, dict) else None
    if not isinstance(name, str) or len(name) > LONGEST_LANGUAGE:
        return None
    if langcodes.tag_is_valid(name):
        return name
    from babel import Locale

    names = Locale("en").languages
    return next((tag for tag, said in names.items() if said.lower() == name.lower()), None)


def mixed_speakers(segments: Sequence[Any]) -> list[Caution]:
    """Return a caution for each segment of a transcript whose words have several speakers."""
    found = []
    for number, one in enumerate(_spoken(segments), 1):
        words = one.get("words") if isinstance(one, dict) else None
        speakers = sorted(
            {
                word["speaker"]
                for word in (words if isinstance(words, list) else [])
                if isinstance(word, Mapping) and isinstance(word.get("speaker"), str)
            }
        )
        if len(speakers) > 1:
            shown = [*speakers[:SHOWN], *(["…"] if len(speakers) > SHOWN else [])]
            message = f"segment {number}: {' and '.join(shown)} speak in it, with one voice"
            found.append(Caution(code="speakers", segment=str(number), message=message))
    return found


def _spoken(segments: Sequence[Any]) -> list[Any]:
    return [one for one in segments if not (isinstance(one, dict) and _is_empty(one))]


def _is_empty(segment: Mapping[str, Any]) -> bool:
    text = segment.get("text", "")
    return isinstance(text, str) and not text.strip() and segment.get("start") == segment.get("end")
