"""The configuration of Piper's voices, shared by Piper in process and by Piper's own server."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from dubbing.documents import Model


class Part(Model):
    """A part of a voice's configuration; fields that are not listed are ignored."""

    model_config = ConfigDict(extra="ignore")


class _Language(Part):
    code: str = Field(min_length=2)


class _Phonemizer(Part):
    voice: str = Field(min_length=2)


class VoiceConfig(Part):
    """The speakers and the language in ``<voice>.onnx.json``."""

    espeak: _Phonemizer
    language: _Language | None = None
    """None in older voices, which have only the language of their phonemes."""
    dataset: str = ""
    num_speakers: int = Field(default=1, ge=1)
    speaker_id_map: dict[str, int] = Field(default={})

    @property
    def languages(self) -> tuple[str, ...]:
        """The voice's language, with and without its region."""
        tag = self.language.code if self.language else self.espeak.voice
        language, _, region = tag.replace("_", "-").partition("-")
        return (f"{language}-{region.upper()}", language) if region else (language,)

    @property
    def speakers(self) -> dict[str, int]:
        """The number of each speaker, by name."""
        if self.num_speakers == 1:
            return {next(iter(self.speaker_id_map), self.dataset or "default"): 0}
        return self.speaker_id_map or {str(number): number for number in range(self.num_speakers)}


def as_words(text: str) -> str:
    """Return a line with double brackets separated: Piper would read their content as phonemes."""
    return text.replace("[[", "[ [")
