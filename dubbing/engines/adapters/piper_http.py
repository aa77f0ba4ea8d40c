"""Piper by its own server, ``python -m piper.http_server``, of any version.

A server has every voice of its folders, and a voice may have several speakers: a stock voice is
``<voice>`` or ``<voice>/<speaker>``. If a server does not find a voice or speaker, it silently
speaks in another one, and it lists voices without the last letters of their names. So only names
that it surely finds are sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field, ValidationError

from dubbing.engines.adapters._piper import Part, VoiceConfig, as_words
from dubbing.engines.adapters._shared import cannot_clone, no_such_voice
from dubbing.engines.engine import EngineSpec, Line, VoiceForm
from dubbing.engines.remote.engine import RemoteEngine
from dubbing.engines.remote.pool import Endpoint, Pool
from dubbing.errors import DubbingError, SpeechRejected

if TYPE_CHECKING:
    from dubbing.engines.remote.wire import Wire
    from dubbing.media.samples import Audio

VOICES, INFO = "voices", "info"
SPEECH, OLDER_SPEECH = "synthesize", ""
"""The route for speech, from version 1.5 on and before; ``/info`` came with the newer one."""
LOST = ".onxjs"
"""Characters that a server takes off the end of a name when it lists it."""
QUALITIES = ("low", "medium", "high")
"""Ends of the names of published voices, which lose nothing."""


class _Pace(Part):
    length_scale: float = Field(default=1.0, gt=0)


class _Config(VoiceConfig):
    inference: _Pace = _Pace()


class _Server(NamedTuple):
    """The voices of a server."""

    route: str
    """The voice that the server was started with."""
    voices: Mapping[str, _Config]
    """By the names that it lists."""
    default: str
    """The listed name of the voice that replaces unknown ones; ``""`` if unknown."""

    def voice(self, name: str) -> _Config | None:
        """Return the voice of a stock voice; None unless the server surely finds it."""
        voice, parted, speaker = name.partition("/")
        listed = voice.rstrip(LOST)
        # A name that would lose characters is not from the list, so it is that of the voice's file.
        sure = listed != voice or voice.endswith(QUALITIES) or listed == self.default
        config = self.voices.get(listed) if sure else None
        return config if config and (not parted or speaker in config.speakers) else None

    def speakers(self, name: str) -> list[str]:
        """Return the stock voices that a name stands for: all speakers of a voice, or one."""
        config = self.voice(name)
        if config is None or config.num_speakers == 1 or "/" in name:
            return [name]
        return [f"{name}/{speaker}" for speaker in config.speakers]

    def unsure(self, what: str) -> str:
        """Return in words that the server may not find ``what``, and what to do."""
        listed = ", ".join([*self.voices][:5]) or "no voice"
        return (
            f"it may not find {what}: it lists {listed}; name a voice by its file without .onnx, "
            "and let that end in -low, -medium or -high"
        )


class PiperHTTP(RemoteEngine):
    """An engine over Piper's servers, at the speed of each line; without pitch and seed.

    The servers bring each sentence to the same peak.
    """

    spec = EngineSpec(
        name="piper-http",
        summary="Piper on servers of its own, piper.http_server: fast on a CPU",
        languages=("*",),
        max_characters={"*": 1000},
        characters_per_second={"zh": 4.5, "ja": 7.5, "ko": 8.0, "*": 15.0},
        speed=(0.5, 2.0),
        # That of most voices; the rate is read from each answer.
        sample_rate=22_050,
        batch_lines=8,
        batch_seconds=600.0,
        seconds_per_call=300.0,
        device="remote",
        licence="GPL-3.0-or-later; each voice's own is in its MODEL_CARD",
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._servers: dict[str, _Server] = {}
        """By address; each is asked before its first line."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Raise SpeechRejected: Piper has only its own voices."""
        raise cannot_clone(self.spec)

    def refusal(self, line: Line) -> DubbingError | None:
        """Return why a line is not sent to any endpoint, or None."""
        if isinstance(line.voice, str) and line.voice in self.spec.voices:
            return None
        return no_such_voice(self.spec, line.voice)

    def probe(self, wire: Wire, endpoint: Endpoint, declared: Pool) -> Pool:
        """Return a pool with the voices that an endpoint has in one language."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - commands send nothing

        server = _server(wire, endpoint)
        wanted = () if declared.languages == Pool().languages else declared.languages
        found = {
            name: config.languages
            for name in declared.voices or server.voices
            if (config := server.voice(name)) and (not wanted or {*wanted} & {*config.languages})
        }
        spoken = tuple(dict.fromkeys(tag for tags in found.values() for tag in tags))
        several = sorted({tag.partition("-")[0] for tag in spoken})
        if len(several) > 1 and not wanted:
            raise Unfit(
                f"it speaks {', '.join(several)}: name one with --language; another language is "
                f"another instance, such as {self.spec.name}-{several[-1]}"
            )
        if not (names := declared.voices or tuple(found)):
            raise Unfit(server.unsure(f"a voice in {', '.join(wanted) or 'any language'}"))
        voices = tuple(voice for name in names for voice in server.speakers(name))
        languages = wanted or spoken or declared.languages
        return declared.model_copy(update={"voices": voices, "languages": languages})

    def identify(self, wire: Wire, endpoint: Endpoint) -> None:
        """Raise Unfit unless an endpoint surely finds every voice of the pool."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - as in `probe`

        server = _server(wire, endpoint)
        if unsure := [name for name in self.pool.voices if not server.voice(name)]:
            raise Unfit(server.unsure(", ".join(unsure[:5])))
        self._servers[endpoint.url] = server

    def ask(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Audio:
        """Let an endpoint speak a line."""
        # Commands that list engines send nothing, and handle no sound.
        from dubbing.engines.remote.sound import sound_of  # noqa: PLC0415
        from dubbing.engines.remote.wire import Failed, Unfit  # noqa: PLC0415

        server, name = self._servers[endpoint.url], str(line.voice)
        config = server.voice(name)
        if config is None:
            raise Unfit(f"it may not find {name}")
        voice, _, speaker = name.partition("/")
        content: dict[str, Any] = {
            "text": as_words(line.text),
            "voice": voice,
            "length_scale": round(config.inference.length_scale / line.speed, 4),
            **({"speaker_id": config.speakers[speaker]} if speaker else {}),
            **self.pool.sent(line.language),
        }
        try:
            return sound_of(wire.post(endpoint, server.route, content, seconds))
        except Failed as exc:
            # A server fails in the same way at a text that has no phonemes.
            if any(map(str.isalnum, line.text)):
                raise
            raise SpeechRejected(f"{self.spec.name} has no sound for {line.text[:40]!r}") from exc


def _server(wire: Wire, endpoint: Endpoint) -> _Server:
    """Return the voices of a server; raises Unfit for a server that is not Piper's."""
    from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - as in `PiperHTTP.probe`

    listed, info = wire.get(endpoint, VOICES), wire.get(endpoint, INFO)
    try:
        voices = {name: _Config.model_validate(config) for name, config in listed.items()}
        started = str(info["voice"]["name"]) if info else ""
    except (AttributeError, KeyError, TypeError, ValidationError) as exc:
        raise Unfit(f"its /{VOICES} is not that of Piper's server") from exc
    if len(voices) == 1:
        (started,) = voices
    # The name in /info has lost fewer characters.
    return _Server(SPEECH if info else OLDER_SPEECH, voices, started.rstrip(LOST))
